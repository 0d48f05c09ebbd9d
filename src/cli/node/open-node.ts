import {
  type ApiClient,
  connectToCluster,
  openSetup,
  readConfigz,
  type SetupDependencies,
  type Step,
} from '../../kubelet/setup/index.ts';
import type { Terminal } from '../terminal.ts';

/** A node that is worked on, and the cluster around it where we run in one. */
export interface OpenNode extends AsyncDisposable {
  readonly setup: SetupDependencies;
  readonly cluster: ApiClient | undefined;
  readonly nodeName: string | undefined;
}

export async function openNode(
  flags: { readonly hostRoot: string; readonly nodeName?: string },
  terminal: Terminal,
  progress: (step: Step) => void,
): Promise<OpenNode> {
  const nodeName = flags.nodeName ?? (terminal.env.NODE_NAME || undefined);
  const cluster = await connectToCluster(terminal.env);
  const setup = await openSetup({
    hostRoot: flags.hostRoot,
    progress,
    ...(cluster && nodeName !== undefined && { configz: () => readConfigz(cluster, nodeName) }),
  });
  return {
    setup,
    cluster,
    nodeName,
    async [Symbol.asyncDispose]() {
      await setup.close();
      await cluster?.close();
    },
  };
}
