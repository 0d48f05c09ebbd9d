import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { requireRoot } from '../../support/binaries.ts';
import { type CommandResult, runCommand } from '../../support/commands.ts';
import { startProcess } from '../../support/processes.ts';
import { createTemporaryFolder } from '../../support/temporary-folder.ts';
import { waitFor } from '../../support/wait.ts';
import type { MachineFiles } from './nodes.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
const ROOT = join(REPOSITORY, '.cache/systemd-root');
const BOOT_TIMEOUT_MS = 100_000;
/** What systemd-nspawn ends with when the machine wants to be booted again. */
const REBOOT_CODE = 133;
/** They take half the time of a boot, and nothing here asks for them. */
const UNITS_LEFT_OUT = [
  'dev-hugepages.mount',
  'systemd-journal-flush.service',
  'systemd-logind.service',
  'systemd-remount-fs.service',
  'systemd-sysctl.service',
  'systemd-sysusers.service',
  'systemd-tmpfiles-setup-dev.service',
  'systemd-update-utmp-runlevel.service',
  'systemd-update-utmp.service',
  'systemd-user-sessions.service',
];

/** A Debian of the test's own, with a systemd that was booted for real. */
export interface Machine {
  /** Process of its systemd, as we see it; another one after a reboot. */
  pid(): number;
  /** Its root folder, for us. */
  root(): string;
  /** Runs a command inside. */
  run(command: string, ...args: readonly string[]): Promise<CommandResult>;
  /** The words that run a command inside. */
  inside(...words: readonly string[]): readonly [string, ...string[]];
  write(path: string, text: string, mode?: number): void;
  read(path: string): string;
  remove(path: string): void;
  exists(path: string): boolean;
  reboot(): Promise<void>;
  close(): Promise<void>;
}

/** Boots a machine over a copy of the prepared root that costs nothing; all that is changed is gone with it. */
export async function startMachine(files: MachineFiles): Promise<Machine> {
  requireRoot('systemd-nspawn');
  if (!existsSync(ROOT)) throw new Error('there is no .cache/systemd-root: make .cache/systemd-root');
  const folder = await createTemporaryFolder('machine');
  const at = (name: string): string => join(folder.path, name);
  for (const name of ['upper', 'work', 'root']) mkdirSync(at(name));
  for (const [path, content] of Object.entries(files)) {
    const { text, mode } = typeof content === 'string' ? { text: content, mode: 0o644 } : content;
    put(join(at('upper'), path), path, text, mode);
  }
  // In name spaces of its own, so that nothing stays mounted and nothing goes on whatever becomes of us.
  const script = `mount -t overlay overlay -o "lowerdir=$1,upperdir=$2,workdir=$3" "$4" && shift 4
    while "$@"; [ $? -eq ${REBOOT_CODE} ]; do :; done`;
  const server = await startProcess({
    command: 'unshare',
    arguments: [
      ...['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', '--mount-proc'],
      ...['sh', '-c', script, 'sh'],
      ...[ROOT, at('upper'), at('work'), at('root')],
      ...['systemd-nspawn', '--quiet', '--register=no', '--keep-unit', '-D', at('root'), '--boot'],
      ...['--private-network', '--console=pipe', `--bind-ro=${REPOSITORY}:/drp`],
      ...[`--bind-ro=${process.execPath}:/usr/local/bin/node`, 'systemd.unit=multi-user.target'],
      ...UNITS_LEFT_OUT.map((unit) => `systemd.mask=${unit}`),
    ],
    environment: { ...process.env, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '0' },
    logFile: at('log'),
    ready: () => true,
  });

  let pid = 0;
  const inside = (...words: readonly string[]): readonly [string, ...string[]] => [
    'nsenter',
    ...['--target', String(pid), '--mount', '--uts', '--ipc', '--net', '--pid', '--', ...words],
  ];
  const run = (command: string, ...args: readonly string[]): Promise<CommandResult> => {
    const [program, ...rest] = inside(command, ...args);
    return runCommand(program, rest, { home: folder.path });
  };
  const booted = (previous: number): Promise<void> =>
    waitFor(
      'the machine to boot',
      async () => {
        const leader = firstChild(firstChild(firstChild(server.pid)));
        if (!leader || leader === previous) return undefined;
        pid = leader;
        const { stdout } = await run('systemctl', 'is-system-running');
        return /running|degraded/.test(stdout) ? true : undefined;
      },
      BOOT_TIMEOUT_MS,
    ).then(() => undefined);
  const root = (): string => `/proc/${pid}/root`;

  const close = async (): Promise<void> => {
    // Nothing in it has to be shut down in good order. The first process goes last, so then all is quiet.
    const first = firstChild(server.pid);
    if (first !== 0) process.kill(first, 'SIGKILL');
    await server.exited;
    await server.close();
    await folder.close();
  };
  try {
    await booted(0);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    pid: () => pid,
    root,
    run,
    inside,
    write: (path, text, mode = 0o644) => put(join(root(), path), path, text, mode),
    read: (path) => readFileSync(join(root(), path), 'utf8'),
    remove: (path) => rmSync(join(root(), path), { force: true }),
    exists: (path) => existsSync(join(root(), path)),
    async reboot() {
      const previous = pid;
      await run('systemctl', 'reboot');
      await booted(previous);
    },
    close,
  };
}

/** 0 while there is none. */
function firstChild(pid: number): number {
  const path = `/proc/${pid}/task/${pid}/children`;
  return existsSync(path) ? Number(readFileSync(path, 'utf8').trim().split(' ')[0]) : 0;
}

/** Units are enabled by links. */
function put(real: string, path: string, text: string, mode: number): void {
  mkdirSync(dirname(real), { recursive: true });
  rmSync(real, { force: true });
  if (path.includes('.wants/')) {
    symlinkSync(text, real);
  } else {
    writeFileSync(real, text);
    chmodSync(real, mode);
  }
}
