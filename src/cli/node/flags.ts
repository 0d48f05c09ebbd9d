/** What `drp node install` is given. */
export interface NodeInstallFlags {
  readonly dryRun: boolean;
  readonly strategy?: 'config-dir' | 'drop-in' | 'unit';
  readonly config?: string;
  readonly configFile: string;
  readonly socket: string;
  readonly executable?: string;
  readonly executableFolder?: string;
  readonly kubeletUnit: string;
  readonly hostRoot: string;
  readonly healthyFor: number;
  readonly healthyWithin: number;
  readonly undoAfter: number;
  readonly lease: boolean;
  readonly nodeName?: string;
  readonly json: boolean;
}

export type NodeUndoFlags = Pick<
  NodeInstallFlags,
  'hostRoot' | 'healthyFor' | 'healthyWithin' | 'lease' | 'nodeName' | 'json'
> & {
  readonly boot?: boolean;
};

export type NodeStatusFlags = Pick<
  NodeInstallFlags,
  'hostRoot' | 'kubeletUnit' | 'socket' | 'nodeName' | 'json'
>;

export interface NodeGuardFlags {
  readonly socket: string;
  readonly environmentFile?: string;
  readonly kubeletConfig?: string;
  readonly wait: number;
}
