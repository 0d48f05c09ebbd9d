import { SetupError } from '../errors.ts';
import type { HostFiles } from '../host/index.ts';
import type { KubeletConfig } from './kubelet-config.ts';
import type { KubeletFlags } from './kubelet-flags.ts';

/** What our image service drives. */
export interface Backend {
  readonly type: 'cri' | 'docker';
  /** Path on the host. */
  readonly socket: string;
  /** Where CRI calls are answered without us; undefined where nobody does. */
  readonly directSocket: string | undefined;
  /** Whether it is an image service that was configured before us. */
  readonly chained: boolean;
}

const DEFAULT_ENDPOINT = 'unix:///run/containerd/containerd.sock';
const DOCKER_SOCKET = '/var/run/docker.sock';
const DOCKERSHIM_SOCKET = '/var/run/dockershim.sock';

/**
 * What answers kubelet's image calls when we do not: an image service that is configured already, else the runtime.
 * @param ours our own endpoints, which are passed over
 * @param config without what we have added to it
 */
export async function findBackend(
  flags: KubeletFlags,
  config: KubeletConfig,
  ours: readonly string[],
  files: HostFiles,
): Promise<Backend> {
  const existing =
    flags
      .all('image-service-endpoint')
      .filter((endpoint) => endpoint !== '' && !ours.includes(endpoint))
      .at(-1) ?? config.imageServiceEndpoint;
  if (existing !== undefined && !ours.includes(existing)) {
    const socket = socketOf(existing);
    return { type: 'cri', socket, directSocket: socket, chained: true };
  }
  const runtime = flags.last('container-runtime-endpoint') || config.containerRuntimeEndpoint;
  const kind = flags.last('container-runtime');
  const isDockershim = kind === 'docker' || (!kind && !runtime && (await files.exists(DOCKERSHIM_SOCKET)));
  if (isDockershim) {
    const directSocket = (await files.exists(DOCKERSHIM_SOCKET)) ? DOCKERSHIM_SOCKET : undefined;
    return { type: 'docker', socket: DOCKER_SOCKET, directSocket, chained: false };
  }
  const socket = socketOf(runtime || DEFAULT_ENDPOINT);
  return { type: 'cri', socket, directSocket: socket, chained: false };
}

/** The path in `unix:///run/x.sock`, or in the bare path that old kubelets take. */
function socketOf(endpoint: string): string {
  const path = endpoint.replace(/^unix:(?:\/\/)?/, '');
  if (path.startsWith('/')) return path;
  throw new SetupError(
    'refused',
    `${endpoint} is no unix socket; only those can be put behind the image service`,
  );
}
