import type { Clock } from '../../../core/index.ts';
import { SetupError } from '../errors.ts';
import type { Backend } from '../platform/index.ts';
import type { CriProbe, ImageAnswers } from './cri-probe.ts';

const CALL_TIMEOUT_MS = 10_000;
const PAUSE_MS = 500;
/** Images come and go while we look. */
const TRIES = 5;

/**
 * Compares what kubelet would get through the image service with what it gets now.
 * @throws {SetupError} when the image service does not answer, or answers something else
 */
export async function compareAnswers(
  probe: CriProbe,
  socket: string,
  backend: Backend,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  let problem: unknown;
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    if (attempt > 1) await clock.sleep(PAUSE_MS, signal);
    try {
      const difference = await compareOnce(probe, socket, backend);
      if (difference === undefined) return;
      problem = new SetupError('unhealthy', `through ${socket} ${difference}`);
    } catch (error) {
      problem = error;
    }
  }
  throw problem;
}

async function compareOnce(
  probe: CriProbe,
  socket: string,
  { directSocket, type }: Backend,
): Promise<string | undefined> {
  const ours = await probe.answers(socket, CALL_TIMEOUT_MS);
  if (directSocket === undefined) return undefined;
  const theirs = await probe.answers(directSocket, CALL_TIMEOUT_MS);
  return difference(ours, theirs, type === 'cri');
}

/** Docker's own folder goes by another name in kubelet's built-in adapter, so only a pass-through has the same. */
function difference(ours: ImageAnswers, theirs: ImageAnswers, sameFolders: boolean): string | undefined {
  if (sameFolders && ours.mountpoints.join() !== theirs.mountpoints.join()) {
    return `images are kept in ${ours.mountpoints.join(', ')}, directly in ${theirs.mountpoints.join(', ')}`;
  }
  return ours.imageIds.join() === theirs.imageIds.join()
    ? undefined
    : `there are ${ours.imageIds.length} images, directly ${theirs.imageIds.length}, or others`;
}
