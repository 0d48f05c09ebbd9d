import type { HostFiles } from '../host/index.ts';
import {
  configPlaces,
  type KubeletConfig,
  kubeletConfigOf,
  readConfigFile,
  setsImageService,
} from './kubelet-config.ts';
import type { LiveKubelet } from './live-kubelet.ts';
import { changedSinceStart } from './since-start.ts';

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

const UNKNOWN: EndpointInUse = { endpoint: undefined, source: 'unknown' };

/** @param configz what kubelet itself answers, where it could be asked */
export async function endpointInUse(
  kubelet: LiveKubelet,
  files: HostFiles,
  configz?: KubeletConfig,
): Promise<EndpointInUse> {
  const flag = kubelet.flags.last('image-service-endpoint');
  if (flag) return { endpoint: flag, source: 'flag' };
  if (configz) return { endpoint: configz.imageServiceEndpoint, source: 'configz' };
  const places = await configPlaces(kubelet.flags, files);
  for (const path of [...places.files].reverse()) {
    if (await changedSinceStart(path, kubelet, files)) return UNKNOWN;
    const document = await readConfigFile(path, files);
    if (!setsImageService(document)) continue;
    return { endpoint: kubeletConfigOf(document).imageServiceEndpoint, source: 'files' };
  }
  // Nothing names one now; one that is gone may have.
  for (const folder of places.folders) {
    if (await changedSinceStart(folder, kubelet, files)) return UNKNOWN;
  }
  return { endpoint: undefined, source: 'files' };
}
