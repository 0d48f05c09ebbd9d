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
  readonly report: (step: Step) => void;
  /** Whether the node is, or was, changed: something has been written into its journal. */
  readonly hasBegun: () => boolean;
}

export async function openNode(
  flags: { readonly hostRoot: string; readonly nodeName?: string },
  terminal: Terminal,
  report: (step: Step) => void,
): Promise<OpenNode> {
  const nodeName = flags.nodeName ?? (terminal.env.NODE_NAME || undefined);
  const cluster = await connectToCluster(terminal.env);
  let hasBegun = false;
  const setup = await openSetup({
    hostRoot: flags.hostRoot,
    progress(step) {
      hasBegun ||= step.name === 'begin journal';
      report(step);
    },
    ...(cluster && nodeName !== undefined && { configz: () => readConfigz(cluster, nodeName) }),
  });
  return {
    setup,
    cluster,
    nodeName,
    report,
    hasBegun: () => hasBegun,
    async [Symbol.asyncDispose]() {
      await setup.close();
      await cluster?.close();
    },
  };
}
