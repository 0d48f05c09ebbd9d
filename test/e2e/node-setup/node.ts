import { createHash } from 'node:crypto';
import { type Dirent, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeStatus } from '../../../src/kubelet/setup/index.ts';
import {
  type Machine,
  type MachineFiles,
  type NodeKind,
  nodeFiles,
  startMachine,
} from '../../servers/systemd/index.ts';
import type { CommandResult } from '../../support/commands.ts';
import { waitFor } from '../../support/wait.ts';

const PROGRAM = '/srv/drp';
export const QUICK = ['--healthy-for', '1s', '--healthy-within', '10s'];
/** Asked often while a machine boots, so without a program that takes its time to start. */
const IS_WELL = `exec 3<>/dev/tcp/127.0.0.1/10248 && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q '^HTTP/1.1 200 ' <&3`;
const COMPARED = [
  '/etc',
  '/opt',
  '/home',
  '/srv',
  '/usr/lib/systemd',
  '/usr/local',
  '/var/lib/drp',
  '/var/lib/kubelet',
  '/run/drp',
];

/** A booted node with a kubelet that is well. */
export interface TestNode extends Machine {
  drp(...args: readonly string[]): Promise<CommandResult>;
  install(...args: readonly string[]): Promise<CommandResult>;
  uninstall(): Promise<CommandResult>;
  status(): Promise<NodeStatus>;
  /** Of the running kubelet. */
  kubeletPid(): Promise<number>;
  kubeletIsWell(): Promise<void>;
  /** All that node setup could have changed: paths with mode, owner and contents. */
  snapshot(): Readonly<Record<string, string>>;
}

export async function startNode(kind: NodeKind, extra: MachineFiles = {}): Promise<TestNode> {
  const machine = await startMachine({ ...nodeFiles(kind), ...extra });
  const drp = (...args: readonly string[]) => machine.run(PROGRAM, ...args);
  const kubeletIsWell = async (): Promise<void> => {
    await waitFor(
      'kubelet to be well',
      async () => {
        const { code } = await machine.run('bash', '-c', IS_WELL);
        return code === 0 ? true : undefined;
      },
      20_000,
    );
  };
  const node: TestNode = {
    ...machine,
    drp,
    install: (...args) => drp('node', 'install', '--executable', PROGRAM, ...QUICK, ...args),
    uninstall: () => drp('node', 'uninstall', ...QUICK),
    async status() {
      const { stdout, stderr } = await drp('node', 'status', '--json');
      if (stdout === '') throw new Error(stderr);
      return JSON.parse(stdout) as NodeStatus;
    },
    async kubeletPid() {
      const { stdout } = await machine.run('systemctl', 'show', '-P', 'MainPID', 'kubelet.service');
      return Number(stdout);
    },
    kubeletIsWell,
    snapshot: () => snapshot(machine.root()),
  };
  try {
    await kubeletIsWell();
  } catch (error) {
    const { stdout } = await machine.run('journalctl', '--no-pager', '-n', '30');
    await machine.close();
    throw new Error(`kubelet is not well\n${stdout}`, { cause: error });
  }
  return node;
}

function snapshot(root: string): Record<string, string> {
  const entries: Record<string, string> = {};
  const visit = (path: string): void => {
    if (path === '/usr/local/bin/node') return;
    const real = join(root, path);
    const status = lstatSync(real, { throwIfNoEntry: false });
    if (!status) return;
    const what = status.isSymbolicLink()
      ? readlinkSync(real)
      : status.isFile()
        ? createHash('sha256').update(readFileSync(real)).digest('hex')
        : '';
    entries[path] = `${status.mode.toString(8)} ${status.uid}:${status.gid} ${what}`;
    if (!status.isDirectory()) return;
    for (const { name } of readdirSync(real, { withFileTypes: true }) as Dirent[]) visit(join(path, name));
  };
  for (const path of COMPARED) visit(path);
  return entries;
}
