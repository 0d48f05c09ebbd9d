import type { HostFiles } from '../host/index.ts';
import { type KubeletConfig, readKubeletConfig } from './kubelet-config.ts';
import type { LiveKubelet } from './live-kubelet.ts';

/** Where the running kubelet sends its image calls, and how we know. */
export interface EndpointInUse {
  /** Undefined: it has no image service, so it asks the runtime. */
  readonly endpoint: string | undefined;
  /**
   * `flag`: an argument of the process. `configz`: kubelet's own answer. `files`: what it was told to read, unchanged
   * since it was started. `unknown`: that has changed since.
   */
  readonly source: 'flag' | 'configz' | 'files' | 'unknown';
}

/** The clock of a file system is coarser than that of systemd. */
const TOLERANCE_MS = 50;

/**
 * @param configz what kubelet itself answers, where it could be asked
 * @param configFile the file of ours among those that it reads
 */
export async function endpointInUse(
  { flags, state }: LiveKubelet,
  files: HostFiles,
  configFile: string | undefined,
  configz?: KubeletConfig,
): Promise<EndpointInUse> {
  const flag = flags.last('image-service-endpoint');
  if (flag) return { endpoint: flag, source: 'flag' };
  if (configz) return { endpoint: configz.imageServiceEndpoint, source: 'configz' };
  const { imageServiceEndpoint } = await readKubeletConfig(flags, files);
  const ours = configFile === undefined ? undefined : await files.snapshot(configFile);
  const changedMs = ours?.type === 'file' ? (ours.modifiedMs ?? 0) : 0;
  const isOld = changedMs <= state.startedAtMs + TOLERANCE_MS;
  return isOld
    ? { endpoint: imageServiceEndpoint, source: 'files' }
    : { endpoint: undefined, source: 'unknown' };
}
