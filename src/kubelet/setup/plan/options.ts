/** How kubelet is told of the image service. */
export const STRATEGIES = ['config-dir', 'drop-in', 'unit'] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** What is installed, and how. Paths are those of the host. */
export interface InstallOptions {
  /** Undefined: as it is now, else the first of `config-dir` and `drop-in` that this node has. */
  readonly strategy: Strategy | undefined;
  /** Kubelet's unit. */
  readonly kubeletUnit: string;
  readonly socket: string;
  /** Configuration of the image service. */
  readonly configFile: string;
  /** Replaces what is in `configFile`; undefined leaves it, and makes one where there is none. */
  readonly configText: string | undefined;
  readonly program: Program;
}

/** The program that the host runs. */
export type Program =
  /** Already on the host. */
  | { readonly type: 'in-place'; readonly words: readonly string[] }
  /** One file of ours, to be copied there. */
  | { readonly type: 'copy'; readonly source: string; readonly folder: string | undefined };

export const DEFAULT_SOCKET = '/run/drp/image-service.sock';
export const DEFAULT_CONFIG_FILE = '/etc/drp/image-service.yaml';
export const DEFAULT_KUBELET_UNIT = 'kubelet.service';
