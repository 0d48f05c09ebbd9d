import type { Clock } from '../../../core/index.ts';
import type { AuthConfig } from '../auth-config.ts';
import { ImageServiceError, STATUS } from '../errors.ts';
import { pullLine, readAnswer } from './answers.ts';
import type { Engine } from './engine.ts';
import { EngineError } from './errors.ts';
import { pullQuery } from './image-name.ts';
import { jsonLines } from './json-lines.ts';
import { pullFailure, registryFailure } from './pull-failure.ts';
import { createPullProgress } from './pull-progress.ts';
import { registryAuth } from './registry-auth.ts';

const MAXIMUM_LINE_BYTES = 1024 * 1024;

/**
 * Has Docker Engine pull an image. The status is 200 whatever comes of it: the stream has to be read to its end.
 * @throws {ImageServiceError | EngineUnreachableError}; the signal's reason when it is aborted, and Docker Engine gives up too
 */
export async function pullImage(
  engine: Engine,
  image: string,
  auth: AuthConfig | undefined,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const query = pullQuery(image);
  const header = registryAuth(auth);
  const progress = createPullProgress();
  const stall = new AbortController();
  const done = new AbortController();
  let lastNewsAt = clock.now();
  const watching = watch();

  async function watch(): Promise<void> {
    for (;;) {
      const left = lastNewsAt + progress.patienceMs() - clock.now();
      if (left <= 0) return stall.abort(stalled(image, progress.patienceMs()));
      await clock.sleep(left, done.signal);
    }
  }

  try {
    const body = await engine.stream({
      method: 'POST',
      path: '/images/create',
      query,
      headers: header === undefined ? {} : { 'x-registry-auth': header },
      signal: AbortSignal.any([signal, stall.signal]),
    });
    for await (const value of jsonLines(body, MAXIMUM_LINE_BYTES)) {
      const line = readAnswer(pullLine, value, 'a pull');
      const failure = pullFailure(line);
      if (failure) throw failure;
      if (progress.add(line)) lastNewsAt = clock.now();
    }
  } catch (error) {
    // A failure before the first line has a status of its own: 404 for "denied", 500 for most.
    if (error instanceof EngineError) throw registryFailure(error.message);
    throw error;
  } finally {
    done.abort();
    await watching.catch(() => undefined);
  }
}

function stalled(image: string, patienceMs: number): ImageServiceError {
  return new ImageServiceError(
    STATUS.DEADLINE_EXCEEDED,
    `the pull of ${image} got no further for ${patienceMs / 1000} s and was given up; is the registry within reach of Docker Engine?`,
  );
}
