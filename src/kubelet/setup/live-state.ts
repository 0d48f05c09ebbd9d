import type { KubeletConfig, LiveKubelet } from './platform/index.ts';

const HEALTHZ_PORT = 10_248;

/** Where kubelet's `/healthz` is; 0 in its configuration switches it off, and then there is no telling. */
export function healthPort({ flags }: LiveKubelet, config: KubeletConfig | undefined): number {
  const flag = flags.last('healthz-port');
  return flag && /^\d+$/.test(flag) ? Number(flag) : (config?.healthzPort ?? HEALTHZ_PORT);
}
