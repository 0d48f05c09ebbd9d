import { DEFAULT_TIMING, rollback, type UndoResult, uninstall } from '../../kubelet/setup/index.ts';
import type { NodeUndoFlags } from '../node.ts';
import type { Terminal } from '../terminal.ts';
import { openNode } from './open-node.ts';
import { printResult, stepReporter } from './reporter.ts';

/** Runs `drp node uninstall`. */
export async function runUninstall(flags: NodeUndoFlags, terminal: Terminal): Promise<void> {
  await using node = await openNode(flags, terminal, stepReporter(terminal, flags.json));
  print(await uninstall(timing(flags), node.setup), flags, terminal);
}

/** Runs `drp node rollback`. */
export async function runRollback(flags: NodeUndoFlags, terminal: Terminal): Promise<void> {
  await using node = await openNode(flags, terminal, stepReporter(terminal, flags.json));
  print(await rollback({ timing: timing(flags), boot: flags.boot === true }, node.setup), flags, terminal);
}

function timing({ healthyFor, healthyWithin }: NodeUndoFlags) {
  return { ...DEFAULT_TIMING, stableMs: healthyFor, timeoutMs: healthyWithin };
}

function print(result: UndoResult, { json }: NodeUndoFlags, terminal: Terminal): void {
  const text = {
    undone: 'Undone: the node is as it was.',
    completed: 'Completed: the last installation was committed already.',
    nothing: 'Nothing to do: nothing is installed or unfinished.',
  }[result.outcome];
  printResult(terminal, json, { ...result }, [text, ...result.notes].join('\n'));
}
