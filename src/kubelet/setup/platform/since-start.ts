import type { HostFiles } from '../host/index.ts';
import type { LiveKubelet } from './live-kubelet.ts';

/** The clock of a file system is coarser than that of systemd. */
const TOLERANCE_MS = 50;

/** Whether a file, or what lies in a folder, is not what kubelet found there when it was started. */
export async function changedSinceStart(
  path: string,
  { state }: LiveKubelet,
  files: HostFiles,
): Promise<boolean> {
  return ((await files.changedAt(path)) ?? 0) > state.startedAtMs + TOLERANCE_MS;
}
