import { DEFAULT_TIMING, type SetupTiming } from '../../kubelet/setup/index.ts';
import type { NodeInstallFlags } from './flags.ts';

type TimingFlags = Pick<NodeInstallFlags, 'healthyFor' | 'healthyWithin'> & Partial<NodeInstallFlags>;

export function timingOf({ healthyFor, healthyWithin, undoAfter }: TimingFlags): SetupTiming {
  const undoAfterMs = undoAfter ?? DEFAULT_TIMING.undoAfterMs;
  return { stableMs: healthyFor, timeoutMs: healthyWithin, undoAfterMs };
}
