import { systemClock } from '../../core/index.ts';
import {
  acquireLease,
  type LeaseEnd,
  longestUndoMs,
  SetupError,
  type SetupTiming,
} from '../../kubelet/setup/index.ts';
import { UsageError } from '../errors.ts';
import type { OpenNode } from './open-node.ts';

/** What is about to be done to a node, and how. */
export interface Turn {
  /** Identifies it: where it has gone wrong, no node tries it again. Undefined: it has to be done all the same. */
  readonly change: string | undefined;
  readonly timing: SetupTiming;
}

const LEASE_NAME = 'drp-node-setup';

/**
 * Does something to a node when no other node of the cluster is being changed. Outside of a cluster there is nobody to
 * wait for.
 * @throws {SetupError} when the same has gone wrong before, and what `work` throws
 */
export async function inTurn<T>(
  { change, timing }: Turn,
  node: OpenNode,
  stop: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { cluster, nodeName } = node;
  if (!cluster) return work(stop);
  if (nodeName === undefined) {
    throw new UsageError(
      'which node is this? Set NODE_NAME (spec.nodeName), or give --node-name or --no-lease',
    );
  }
  const options = { name: LEASE_NAME, holder: nodeName, durationMs: undoneWithinMs(timing), change };
  let told: string | undefined;
  const lease = await acquireLease(options, cluster, systemClock, stop, (holder) => {
    if (told !== holder) node.report({ name: 'wait for lease', subject: holder });
    told = holder;
  });
  let end: LeaseEnd = {};
  try {
    return await work(AbortSignal.any([stop, lease.lost]));
  } catch (error) {
    end = await endOf(error, node, stop);
    throw error;
  } finally {
    await lease.release(end);
  }
}

/** When the host of an installer that has died has undone all. */
function undoneWithinMs(timing: SetupTiming): number {
  return timing.undoAfterMs + longestUndoMs(timing);
}

/** Only what was begun, and was not interrupted from outside, says something about the change. */
async function endOf(error: unknown, { setup, hasBegun }: OpenNode, stop: AbortSignal): Promise<LeaseEnd> {
  const isPending = await setup.journal.pending().then(
    (entry) => entry !== undefined,
    () => true,
  );
  const isDone = error instanceof SetupError && error.code === 'unwritten';
  const hasFailed = hasBegun() && !stop.aborted && !isDone;
  return { isPending, failure: hasFailed ? messageOf(error) : undefined };
}

function messageOf(error: unknown): string {
  return error instanceof SetupError ? error.message : 'an unexpected error, see the log of that node';
}
