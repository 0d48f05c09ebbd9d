import { openGuard, runGuard } from '../../kubelet/setup/index.ts';
import { UsageError } from '../errors.ts';
import type { Terminal } from '../terminal.ts';
import type { NodeGuardFlags } from './flags.ts';

/** Runs `drp node guard`. */
export async function runGuardCommand(flags: NodeGuardFlags, terminal: Terminal): Promise<void> {
  const { socket, wait, environmentFile, kubeletConfig } = flags;
  if ((environmentFile === undefined) === (kubeletConfig === undefined)) {
    throw new UsageError('give one of --environment-file and --kubelet-config');
  }
  const target =
    environmentFile !== undefined
      ? ({ type: 'environment-file', path: environmentFile } as const)
      : ({ type: 'kubelet-config', path: kubeletConfig ?? '' } as const);
  const { use, reason } = await runGuard({ socket, target, waitMs: wait }, openGuard());
  terminal.print(
    use
      ? `kubelet is started with the image service at ${socket}`
      : `kubelet is started without the image service: ${reason}`,
  );
}
