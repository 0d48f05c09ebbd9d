import type { Clock } from '../../core/index.ts';
import type { AuthConfig } from './auth-config.ts';
import type { Backend } from './backend.ts';
import { STATUS } from './errors.ts';
import type { CallDetails } from './failed-call.ts';
import {
  type Answer,
  AnsweredError,
  firstValue,
  frameMessage,
  type IncomingCall,
  onlyMessage,
  withTimeout,
} from './grpc/index.ts';
import type { PullAttempt, PullCredentials } from './image-service.ts';
import { readPullRequest, withAuth } from './pull-request.ts';

export interface PullDependencies {
  readonly backend: Backend;
  readonly credentials: PullCredentials;
  readonly clock: Clock;
  /** Is told what the log is to say of the pull. */
  readonly note: (details: Pick<CallDetails, 'image' | 'source'>) => void;
}

const NOTED_CHARACTERS = 300;

/**
 * Pulls with each credential in turn until one is good.
 * @returns the runtime's answer to the last attempt, as it came
 * @throws {ImageServiceError}
 */
export async function pullImage(
  call: IncomingCall,
  { backend, credentials, clock, note }: PullDependencies,
): Promise<Answer> {
  const startedAt = clock.now();
  const body = await call.body();
  const message = await onlyMessage(body, firstValue(call.metadata, 'grpc-encoding'));
  const request = readPullRequest(message);
  const send = (bytes: Buffer) =>
    backend.unary(
      { path: call.path, metadata: withTimeLeft(call, clock.now() - startedAt), body: bytes },
      call.signal,
    );
  // What can't be read is the runtime's to refuse.
  if (!request) return send(body);
  note({ image: request.image.slice(0, NOTED_CHARACTERS) });

  function bodyFor({ source, auth }: PullAttempt, shown: AuthConfig | undefined): Buffer {
    if (source === 'provider' && auth) {
      const serverAddress = backend.serverAddress?.(request?.image ?? '') ?? auth.serverAddress;
      return frameMessage(withAuth(message, { ...auth, serverAddress }));
    }
    return auth === shown ? body : frameMessage(withAuth(message, auth));
  }

  return credentials.pull(
    request.image,
    request.auth,
    async (attempt) => {
      note({ source: attempt.source });
      const answer = await send(bodyFor(attempt, request.auth));
      if (answer.code !== STATUS.OK) throw new AnsweredError(answer);
      return answer;
    },
    { signal: call.signal },
  );
}

/** A second attempt has less time than the first had. */
function withTimeLeft({ metadata, timeoutMs }: IncomingCall, passedMs: number): IncomingCall['metadata'] {
  if (timeoutMs === undefined || passedMs < 1) return metadata;
  return withTimeout(metadata, timeoutMs - passedMs);
}
