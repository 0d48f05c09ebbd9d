import { readFile } from 'node:fs/promises';
import { isSea } from 'node:sea';
import { systemClock } from '../../core/index.ts';
import {
  acquireLease,
  type HeldLease,
  type InstallOptions,
  install,
  type Plan,
  type Program,
  planInstall,
  requireSafePath,
  requireUnitName,
} from '../../kubelet/setup/index.ts';
import { UsageError } from '../errors.ts';
import type { NodeInstallFlags } from '../node.ts';
import type { Terminal } from '../terminal.ts';
import { type OpenNode, openNode } from './open-node.ts';
import { describePlan, planSummary } from './plan-text.ts';
import { printResult, stepReporter } from './reporter.ts';
import { stopSignal } from './stop-signal.ts';
import { requireUndoTime } from './undo-time.ts';

const LEASE_NAME = 'drp-node-setup';
const LEASE_DURATION_MS = 60_000;

/** Runs `drp node install`. */
export async function runInstall(flags: NodeInstallFlags, terminal: Terminal): Promise<void> {
  requireUndoTime(flags);
  const options = await installOptions(flags);
  const timing = {
    stableMs: flags.healthyFor,
    timeoutMs: flags.healthyWithin,
    undoAfterMs: flags.undoAfter,
  };
  using stop = stopSignal();
  await using node = await openNode(flags, terminal, stepReporter(terminal, flags.json));
  if (flags.dryRun) {
    const plan = await planInstall(options, node.setup);
    printResult(terminal, flags.json, { outcome: 'planned', ...planSummary(plan) }, describePlan(plan));
    return;
  }
  const lease = await takeLease(flags, options, node, terminal, stop.signal);
  try {
    const signal = lease ? AbortSignal.any([stop.signal, lease.lost]) : stop.signal;
    const { outcome, plan } = await install(options, timing, node.setup, signal);
    printResult(terminal, flags.json, { outcome, ...planSummary(plan) }, outcomeText(outcome, plan));
  } finally {
    await lease?.release();
  }
}

/** Only a node that is changed has to wait for the others. */
async function takeLease(
  flags: NodeInstallFlags,
  options: InstallOptions,
  { cluster, nodeName, setup }: OpenNode,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<HeldLease | undefined> {
  if (!cluster || !flags.lease) return undefined;
  if (nodeName === undefined) {
    throw new UsageError(
      'which node is this? Set NODE_NAME (spec.nodeName), or give --node-name or --no-lease',
    );
  }
  const plan = await planInstall(options, setup);
  if (plan.changes.length === 0 && !plan.restartKubelet && !plan.copy) return undefined;
  let told: string | undefined;
  const lease = { name: LEASE_NAME, holder: nodeName, durationMs: LEASE_DURATION_MS };
  return acquireLease(lease, cluster, systemClock, signal, (holder) => {
    if (told === holder) return;
    told = holder;
    stepReporter(terminal, flags.json)({ name: 'wait for lease', subject: holder });
  });
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
