import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import { QUICK, type TestNode } from './node.ts';

/** A line of `drp node install --json`. */
export interface ToldStep {
  readonly event: string;
  readonly name: string;
  readonly subject: string;
}

/**
 * Starts an installation, and kills it when it begins a step.
 * @returns the steps up to there
 */
export async function killAt(
  node: TestNode,
  isLast: (step: ToldStep, index: number) => boolean,
  args: readonly string[] = [],
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
    process.kill(-(child.pid ?? 0), 'SIGKILL');
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
    // What the timer does when it is time; one that has run is no lock, also when there was no program yet to stop it.
    await node.run('systemctl', 'start', 'drp-node-undo.service');
    await node.run('systemctl', 'stop', 'drp-node-undo.timer');
    await node.kubeletIsWell();
    const { verdict } = await node.status();
    outcomes.add(verdict);
    expect({ name, verdict }).toEqual({ name, verdict: expect.stringMatching(/^(?:absent|in-use)$/) });
    if (verdict === 'in-use') await node.uninstall();
    expect({ name, files: node.snapshot() }).toEqual({ name, files: before });
  }
  expect(outcomes).toContain('absent');
}
