import { programVersion } from '../../core/index.ts';
import { rollback, type UndoResult, uninstall } from '../../kubelet/setup/index.ts';
import type { Terminal } from '../terminal.ts';
import type { NodeUndoFlags } from './flags.ts';
import { inTurn, type Turn } from './in-turn.ts';
import { type OpenNode, openNode } from './open-node.ts';
import { printResult, stepReporter } from './reporter.ts';
import { stopSignal } from './stop-signal.ts';
import { timingOf } from './timing.ts';

/** Runs `drp node uninstall`. */
export async function runUninstall(flags: NodeUndoFlags, terminal: Terminal): Promise<void> {
  const timing = timingOf(flags);
  await runUndo(flags, terminal, `uninstall-${programVersion()}`, ({ setup }) => uninstall(timing, setup));
}

/** Runs `drp node rollback`. */
export async function runRollback(flags: NodeUndoFlags, terminal: Terminal): Promise<void> {
  const options = { timing: timingOf(flags), boot: flags.boot === true };
  // However often it has gone wrong: nothing else would put the node right.
  await runUndo(flags, terminal, undefined, ({ setup }) => rollback(options, setup));
}

async function runUndo(
  flags: NodeUndoFlags,
  terminal: Terminal,
  change: string | undefined,
  undo: (node: OpenNode) => Promise<UndoResult>,
): Promise<void> {
  await using node = await openNode(flags, terminal, stepReporter(terminal, flags.json));
  const waits = flags.lease && node.cluster !== undefined && (await isThere(node));
  const result = waits ? await undoInTurn({ change, timing: timingOf(flags) }, node, undo) : await undo(node);
  print(result, flags, terminal);
}

/** Waiting may be interrupted. What is being undone is brought to its end. */
async function undoInTurn(
  turn: Turn,
  node: OpenNode,
  undo: (node: OpenNode) => Promise<UndoResult>,
): Promise<UndoResult> {
  using stop = stopSignal();
  return inTurn(turn, node, stop.signal, () => undo(node));
}

/** Where nothing is installed or unfinished, there is no need to wait for the others. */
async function isThere({ setup: { journal } }: OpenNode): Promise<boolean> {
  return (await journal.installed()) !== undefined || (await journal.pending()) !== undefined;
}

function print(result: UndoResult, { json }: NodeUndoFlags, terminal: Terminal): void {
  const text = {
    undone: 'Undone: the node is as it was.',
    completed: 'Completed: the last installation was committed already.',
    nothing: 'Nothing to do: nothing is installed or unfinished.',
  }[result.outcome];
  printResult(terminal, json, { ...result }, [text, ...result.notes].join('\n'));
}
