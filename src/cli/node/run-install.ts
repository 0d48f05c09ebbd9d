import { readFile } from 'node:fs/promises';
import { isSea } from 'node:sea';
import {
  changesNothing,
  type InstallOptions,
  install,
  type Plan,
  type Program,
  planInstall,
  requireSafePath,
  requireUnitName,
} from '../../kubelet/setup/index.ts';
import { UsageError } from '../errors.ts';
import type { Terminal } from '../terminal.ts';
import { changeId } from './change-id.ts';
import type { NodeInstallFlags } from './flags.ts';
import { inTurn } from './in-turn.ts';
import { type OpenNode, openNode } from './open-node.ts';
import { describePlan, planSummary } from './plan-text.ts';
import { printResult, stepReporter } from './reporter.ts';
import { stopSignal } from './stop-signal.ts';
import { timingOf } from './timing.ts';
import { requireUndoTime } from './undo-time.ts';

/** Runs `drp node install`. */
export async function runInstall(flags: NodeInstallFlags, terminal: Terminal): Promise<void> {
  requireUndoTime(flags);
  const options = await installOptions(flags);
  const timing = timingOf(flags);
  using stop = stopSignal();
  await using node = await openNode(flags, terminal, stepReporter(terminal, flags.json));
  if (flags.dryRun) {
    const plan = await planInstall(options, node.setup);
    printResult(terminal, flags.json, { outcome: 'planned', ...planSummary(plan) }, describePlan(plan));
    return;
  }
  const work = (signal: AbortSignal) => install(options, timing, node.setup, signal);
  const waits = flags.lease && node.cluster !== undefined && (await changesNode(options, node));
  const { outcome, plan } = waits
    ? await inTurn({ change: await changeId(options, timing, node.setup), timing }, node, stop.signal, work)
    : await work(stop.signal);
  printResult(terminal, flags.json, { outcome, ...planSummary(plan) }, outcomeText(outcome, plan));
}

/** Where nothing is changed, there is no need to wait for the others. */
async function changesNode(options: InstallOptions, { setup }: OpenNode): Promise<boolean> {
  if (await setup.journal.pending()) return true;
  return !changesNothing(await planInstall(options, setup));
}

async function installOptions(flags: NodeInstallFlags): Promise<InstallOptions> {
  try {
    return {
      strategy: flags.strategy,
      kubeletUnit: requireUnitName(flags.kubeletUnit),
      socket: requireSafePath(flags.socket, '--socket'),
      configFile: requireSafePath(flags.configFile, '--config-file'),
      configText: flags.config === undefined ? undefined : await readFile(flags.config, 'utf8'),
      program: program(flags),
    };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** A single executable is copied to a place of its own; a script stays where it is, and has to stay there. */
function program({ executable, executableFolder, hostRoot }: NodeInstallFlags): Program {
  const folder = executableFolder && requireSafePath(executableFolder, '--executable-folder');
  if (executable !== undefined) return { type: 'copy', source: executable, folder: folder || undefined };
  if (isSea()) return { type: 'copy', source: process.execPath, folder: folder || undefined };
  if (hostRoot !== '/')
    throw new UsageError('the host does not have this program: name one with --executable');
  const words = [process.execPath, process.argv[1] ?? ''];
  return { type: 'in-place', words: words.map((word) => requireSafePath(word, 'this program')) };
}

function outcomeText(outcome: 'installed' | 'unchanged', plan: Plan): string {
  const how = `${plan.strategy} on ${plan.platform}`;
  return outcome === 'unchanged'
    ? `Nothing to do: kubelet uses the image service (${how}).`
    : `Installed: kubelet uses the image service (${how}).`;
}
