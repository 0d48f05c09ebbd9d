import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import { QUICK, type TestNode } from './node.ts';

/** A line of `drp node install --json`. */
export interface ToldStep {
  readonly event: string;
  readonly name: string;
  readonly subject: string;
}

/** When a step begins. */
type IsLast = (step: ToldStep, index: number) => boolean;

/**
 * Starts an installation, and kills it when it begins a step.
 * @returns the steps up to there
 */
export function killAt(
  node: TestNode,
  isLast: IsLast,
  args: readonly string[] = [],
): Promise<readonly ToldStep[]> {
  return runUntil(node, isLast, args, (pid) => void process.kill(-pid, 'SIGKILL'));
}

/** Halts an installation when it begins a step, does something else, and lets it go on to its end. */
export async function haltAt(node: TestNode, isLast: IsLast, meanwhile: () => Promise<void>): Promise<void> {
  await runUntil(node, isLast, [], async (pid) => {
    // nsenter halts with its child, and the child goes on with it.
    process.kill(Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')), 'SIGSTOP');
    try {
      await meanwhile();
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });
}

async function runUntil(
  node: TestNode,
  isLast: IsLast,
  args: readonly string[],
  then: (pid: number) => void | Promise<void>,
): Promise<readonly ToldStep[]> {
  const [program, ...rest] = node.inside(
    ...['/srv/drp', 'node', 'install', '--executable', '/srv/drp', '--json', ...QUICK, ...args],
  );
  const child = spawn(program, rest, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  // Not 'exit': the last to hold the pipe is gone only when no thread is in the middle of a write.
  const closed = once(child, 'close');
  const steps: ToldStep[] = [];
  for await (const line of createInterface(child.stdout)) {
    const step = JSON.parse(line) as ToldStep;
    if (step.event !== 'step') continue;
    steps.push(step);
    if (!isLast(step, steps.length - 1)) continue;
    await then(child.pid ?? 0);
    break;
  }
  child.stdout.resume();
  await closed;
  return steps;
}

/** Kills one installation after the other, each at another step; the host undoes it as it would after a while. */
export async function killAtSteps(
  node: TestNode,
  args: readonly string[],
  choose: (steps: readonly ToldStep[]) => readonly number[],
): Promise<void> {
  const before = node.snapshot();
  const all = await killAt(node, () => false, args);
  expect(await node.uninstall()).toMatchObject({ code: 0 });
  expect(node.snapshot()).toEqual(before);
  const outcomes = new Set<string>();
  for (const at of choose(all)) {
    const name = all[at]?.name;
    const reached = await killAt(node, (_, index) => index === at, args);
    expect({ name, reached: reached.length }).toEqual({ name, reached: at + 1 });
    await hostUndoes(node);
    await node.kubeletIsWell();
    const { verdict } = await node.status();
    outcomes.add(verdict);
    expect({ name, verdict }).toEqual({ name, verdict: expect.stringMatching(/^(?:absent|in-use)$/) });
    if (verdict === 'in-use') await node.uninstall();
    expect({ name, files: node.snapshot() }).toEqual({ name, files: before });
  }
  expect(outcomes).toContain('absent');
}

/** What the timer does when it is time, if there is one; it ends then, also when there was no program yet to end it. */
export async function hostUndoes(node: TestNode): Promise<void> {
  // The lock of the one that died may still be there: then the timer comes again.
  let state = 'active\n';
  for (let time = 0; time < 5 && state === 'active\n'; time += 1) {
    await node.run('systemctl', 'start', 'drp-node-undo.service');
    state = (await node.run('systemctl', 'is-active', 'drp-node-undo.timer')).stdout;
  }
  expect(state).toBe('inactive\n');
}
