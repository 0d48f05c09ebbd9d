import { leastUndoAfterMs } from '../../kubelet/setup/index.ts';
import { UsageError } from '../errors.ts';
import type { NodeInstallFlags } from './flags.ts';

/** @throws {UsageError} when the host would undo an installation while that is still at work, or undoing it itself */
export function requireUndoTime({
  healthyFor,
  healthyWithin,
  undoAfter,
}: Pick<NodeInstallFlags, 'healthyFor' | 'healthyWithin' | 'undoAfter'>): void {
  const least = leastUndoAfterMs({ stableMs: healthyFor, timeoutMs: healthyWithin });
  if (undoAfter >= least) return;
  throw new UsageError(
    `--undo-after has to be ${Math.ceil(least / 1000)}s at least: as long as it may take to see that kubelet is well, ` +
      'to restart it, and to see it again; or make --healthy-within shorter',
  );
}
