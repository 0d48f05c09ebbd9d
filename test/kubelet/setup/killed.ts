import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { temporaryName } from '../../../src/kubelet/setup/host/index.ts';
import type { SetupDependencies } from '../../../src/kubelet/setup/index.ts';
import { createJournal } from '../../../src/kubelet/setup/journal/index.ts';
import type { FakeNode } from './fake-node.ts';

/** Where a run dies: before its n-th change of the host, in the middle of it, or right after. */
export interface Death {
  readonly at: number;
  readonly when: 'before' | 'half' | 'after';
}

/**
 * Runs work that dies on the way, as a process that is killed: nothing of it goes on, no cleaning up either.
 * @returns whether it died; false when it ended before
 */
export async function runUntilDeath(
  node: FakeNode,
  death: Death,
  work: (dependencies: SetupDependencies) => Promise<unknown>,
): Promise<boolean> {
  return (await run(node, death, work)).died;
}

/** How often a run that is left alone changes the host. */
export async function countChanges(
  node: FakeNode,
  work: (dependencies: SetupDependencies) => Promise<unknown>,
): Promise<number> {
  return (await run(node, { at: Number.POSITIVE_INFINITY, when: 'after' }, work)).changes;
}

async function run(
  node: FakeNode,
  death: Death,
  work: (dependencies: SetupDependencies) => Promise<unknown>,
): Promise<{ readonly died: boolean; readonly changes: number }> {
  let count = 0;
  let die: (() => void) | undefined;
  const dead = new Promise<true>((resolve) => {
    die = () => resolve(true);
  });
  const never = (): Promise<never> => {
    die?.();
    return new Promise(() => undefined);
  };
  const alive = node.setup();

  /** Wraps what changes the host. */
  const counted =
    <A extends unknown[], R>(change: (...args: A) => Promise<R>, half?: (...args: A) => Promise<void>) =>
    async (...args: A): Promise<R> => {
      const isHere = ++count === death.at;
      if (isHere && death.when === 'before') return never();
      if (isHere && death.when === 'half') {
        await half?.(...args);
        return never();
      }
      const result = await change(...args);
      return isHere ? never() : result;
    };
  const leaveHalf = async (path: string): Promise<void> => {
    const real = join(node.root, temporaryName(path));
    await mkdir(dirname(real), { recursive: true }).catch(() => undefined);
    await writeFile(real, 'half').catch(() => undefined);
  };
  const { files, systemd } = alive;
  const mortalFiles = {
    ...files,
    put: counted(files.put, async (path, entry) => (entry.type === 'file' ? leaveHalf(path) : undefined)),
    create: counted(files.create, async (path) => leaveHalf(`${path}`)),
    keep: counted(files.keep),
    putBack: counted(files.putBack, async (path, entry) =>
      entry.type === 'file' ? leaveHalf(path) : undefined,
    ),
    copyIn: counted(files.copyIn, async (_, path) => leaveHalf(path)),
  };
  const dependencies: SetupDependencies = {
    ...alive,
    files: mortalFiles,
    journal: createJournal('/var/lib/drp/node', mortalFiles),
    systemd: {
      ...systemd,
      reload: counted(systemd.reload),
      start: counted(systemd.start),
      stop: counted(systemd.stop),
      restart: counted(systemd.restart),
      startTimer: counted(systemd.startTimer),
      startService: counted(systemd.startService),
      runOnce: counted(systemd.runOnce),
    },
  };
  const died = await Promise.race([dead, work(dependencies).then(() => false as const)]);
  if (died) node.releaseLock();
  return { died, changes: count };
}
