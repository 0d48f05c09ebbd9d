import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { runGuard } from '../../../src/kubelet/setup/guard/index.ts';
import { createHostFiles, fileHash } from '../../../src/kubelet/setup/host/index.ts';
import {
  rollback,
  type SetupDependencies,
  SetupError,
  type SetupTiming,
} from '../../../src/kubelet/setup/index.ts';
import { createJournal } from '../../../src/kubelet/setup/journal/index.ts';
import type { HostTimer, Systemd, UnitState } from '../../../src/kubelet/setup/systemd/index.ts';
import {
  commandInForce,
  type NamedUnitFile,
  settingsInForce,
  splitCommandLine,
} from '../../../src/kubelet/setup/unit-file/index.ts';
import { type MachineFiles, type NodeKind, nodeFiles } from '../../servers/systemd/index.ts';
import { createStepClock } from './step-clock.ts';

/** A host in a folder: a systemd that knows what these tests need, a kubelet that it starts, and an image service. */
export interface FakeNode {
  readonly root: string;
  /** Dependencies like those of a program that has just been started. */
  setup(changes?: Partial<SetupDependencies>): SetupDependencies;
  /** How kubelet behaves with this endpoint. */
  behaviour: (endpoint: string | undefined) => 'well' | 'unwell' | 'flaps';
  /** Whether the image service of this program answers. */
  serviceWorks: (program: string) => boolean;
  /** Whether the host can run the program. */
  programRuns: boolean;
  readonly restarts: number;
  readonly timer: HostTimer | undefined;
  /** Of the running kubelet. */
  endpoint(): Promise<string | undefined>;
  /** What the host does when it is time, if somebody has armed it: with the program only if that is there. */
  fireTimer(): Promise<void>;
  /** A process that was at work is gone, or systemd was told to end what holds its lock. */
  releaseLock(): void;
  reboot(): void;
  startKubelet(): Promise<void>;
  reload(): Promise<void>;
  write(path: string, text: string): Promise<void>;
  read(path: string): Promise<string>;
  /** All files but those of the kernel. */
  snapshot(): Promise<Record<string, string>>;
}

/** Shorter than on a real node: its kubelet decides at once. */
export const TIMING: SetupTiming = { stableMs: 1000, timeoutMs: 2000, undoAfterMs: 600_000 };
const UNDO_SERVICE = 'drp-node-undo.service';
const LOCK_SERVICE = 'drp-node-lock.service';
const SOCKET = '/run/drp/image-service.sock';
// Writes are synchronised; in memory that costs nothing.
const FAST_FOLDER = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const UNIT_FOLDERS = ['/etc/systemd/system', '/usr/lib/systemd/system'];

export async function createFakeNode(kind: NodeKind, extra: MachineFiles = {}): Promise<FakeNode> {
  const root = await mkdtemp(join(FAST_FOLDER, 'drp-node-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const files = createHostFiles(root);
  const active = new Set<string>();
  let loaded = new Map<string, readonly NamedUnitFile[]>();
  let pid = 100;
  let restarts = 0;
  let startedAtMs = 0;
  let configured: string | undefined;
  let timer: HostTimer | undefined;
  let isFiring = false;
  let flapping = 0;
  const clock = createStepClock();

  async function write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }

  async function readUnit(name: string): Promise<readonly NamedUnitFile[]> {
    const read = async (path: string) => ({ path, text: await readFile(join(root, path), 'utf8') });
    const fragment = UNIT_FOLDERS.map((folder) => `${folder}/${name}`).find((path) =>
      existsSync(join(root, path)),
    );
    if (fragment === undefined) return [];
    const dropIns = new Map<string, string>();
    for (const folder of [...UNIT_FOLDERS].reverse()) {
      const names = await readdir(join(root, folder, `${name}.d`)).catch(() => []);
      for (const file of names.filter((file) => /^[^.].*\.conf$/.test(file))) {
        dropIns.set(file, join(folder, `${name}.d`, file));
      }
    }
    const sorted = [...dropIns].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
    return Promise.all([fragment, ...sorted].map(read));
  }

  async function reload(): Promise<void> {
    const next = new Map<string, readonly NamedUnitFile[]>();
    for (const name of ['kubelet.service', 'drp-image-service.service', 'drp-image-service.socket']) {
      next.set(name, await readUnit(name));
    }
    loaded = next;
  }

  async function state(name: string): Promise<UnitState> {
    if (name.endsWith('.timer')) {
      return { ...NO_UNIT, activeState: timer ? 'active' : 'inactive', subState: timer ? 'waiting' : 'dead' };
    }
    if (name === UNDO_SERVICE) return { ...NO_UNIT, activeState: isFiring ? 'activating' : 'inactive' };
    const known = loaded.get(name) ?? [];
    const [fragment, ...dropIns] = known;
    const isKubelet = name === 'kubelet.service';
    if (isKubelet && flapping > 0) {
      flapping--;
      pid++;
      restarts++;
    }
    return {
      loadState: fragment ? 'loaded' : 'not-found',
      activeState: active.has(name) ? 'active' : 'inactive',
      subState: active.has(name) ? 'running' : 'dead',
      fragmentPath: fragment?.path ?? '',
      dropInPaths: dropIns.map(({ path }) => path),
      needDaemonReload: JSON.stringify(known) !== JSON.stringify(await readUnit(name)),
      mainPid: isKubelet && active.has(name) ? pid : 0,
      restarts,
      startedAtMs,
      commands: isKubelet ? [splitCommandLine(commandInForce(known).assignment.value).words] : [],
    };
  }

  /** As systemd does it: what comes before, then the environment, then the command. */
  async function startKubelet(): Promise<void> {
    const known = loaded.get('kubelet.service') ?? [];
    const values = (key: string) => settingsInForce(known, key).map(({ assignment }) => assignment.value);
    for (const command of values('ExecStartPre')) await runBefore(splitCommandLine(command).words);
    const environment = new Map<string, string>();
    for (const value of values('Environment')) {
      setVariables(environment, value.replace(/^['"](.*)['"]$/, '$1'));
    }
    for (const path of values('EnvironmentFile')) {
      const text = await files.readText(path.replace(/^-/, ''));
      for (const line of text?.split('\n') ?? []) setVariables(environment, line);
    }
    const { words } = splitCommandLine(commandInForce(known).assignment.value);
    const args = words.flatMap((word) =>
      word.startsWith('$')
        ? (environment.get(word.slice(1)) ?? '').split(' ').filter((part) => part !== '')
        : [word],
    );
    await rm(join(root, 'proc', String(pid)), { recursive: true, force: true });
    pid++;
    startedAtMs = Date.now() + 1;
    active.add('kubelet.service');
    await write(`/proc/${pid}/cmdline`, `${args.join('\0')}\0`);
    configured = await readImageService(args);
    flapping = node.behaviour(await node.endpoint()) === 'flaps' ? 3 : 0;
  }

  /** Of the files in `--config-dir`: kubelet reads them once. */
  async function readImageService(args: readonly string[]): Promise<string | undefined> {
    const folder = args.find((arg) => arg.startsWith('--config-dir='))?.slice('--config-dir='.length);
    if (folder === undefined) return undefined;
    const names = await readdir(join(root, folder), { recursive: true });
    let found: string | undefined;
    for (const name of names.filter((name) => name.endsWith('.conf')).sort()) {
      const config = JSON.parse(await readFile(join(root, folder, name), 'utf8'));
      found = (config as { imageServiceEndpoint?: string }).imageServiceEndpoint ?? found;
    }
    return found;
  }

  async function runBefore(words: readonly string[]): Promise<void> {
    const option = (name: string): string => words[words.indexOf(name) + 1] ?? '';
    if (words[0]?.endsWith('/rm')) await files.put(words.at(-1) ?? '', { type: 'absent' });
    if (!words.includes('guard') || !existsSync(join(root, words[0] ?? ''))) return;
    const type = words.includes('--kubelet-config') ? 'kubelet-config' : 'environment-file';
    const target = { type, path: option(`--${type}`) } as const;
    await runGuard({ socket: option('--socket'), target, waitMs: 1 }, { probe, files, clock });
  }

  /** The paths in it are those of the host, without the folder that this one is in. */
  function sweep(script: string): string {
    const own = script
      .replace(/ (\/(?!dev\/)\S+)/g, ` ${root}$1`)
      .replace(`grep -qF ${root}`, 'grep -qF ')
      .replace('systemctl stop drp-node-undo.timer', 'echo stops the timer');
    return execFileSync('/bin/sh', ['-c', own], { encoding: 'utf8' });
  }

  const probe: SetupDependencies['probe'] = {
    async fileSystems(socket) {
      const [service] = loaded.get('drp-image-service.service') ?? [];
      const answers =
        socket !== SOCKET ||
        (service !== undefined &&
          active.has('drp-image-service.service') &&
          node.serviceWorks(splitCommandLine(commandInForce([service]).assignment.value).words[0] ?? ''));
      if (answers) return ['/var/lib/images'];
      throw new SetupError('unhealthy', `${socket} does not answer`);
    },
    answers: async (socket) => ({
      mountpoints: [...(await probe.fileSystems(socket, 1))],
      imageIds: ['sha256:aa'],
    }),
  };

  const systemd: Systemd = {
    unit: state,
    reload,
    async start(unit) {
      if (unit === UNDO_SERVICE) return node.fireTimer();
      if ((loaded.get(unit) ?? []).length === 0) throw new SetupError('failed', `${unit} is not there`);
      active.add(unit);
    },
    stop: async (unit) => {
      if (unit.endsWith('.timer')) timer = undefined;
      active.delete(unit);
    },
    async restart(unit) {
      if (unit === 'kubelet.service') {
        restarts = 0;
        await startKubelet();
      }
      active.add(unit);
    },
    resetFailed: async () => undefined,
    async startTimer(next) {
      if (timer) throw new SetupError('busy', 'it is there already');
      timer = next;
    },
    async startService({ name }) {
      if (active.has(`${name}.service`)) throw new SetupError('busy', 'it is there already');
      active.add(`${name}.service`);
    },
    async runOnce() {
      return node.programRuns;
    },
    close: async () => undefined,
  };

  let ids = 0;
  const node: FakeNode = {
    root,
    behaviour: () => 'well',
    serviceWorks: () => true,
    programRuns: true,
    get restarts() {
      return pid;
    },
    get timer() {
      return timer;
    },
    setup: (changes = {}) => {
      const used = changes.files ?? files;
      return {
        systemd,
        files,
        journal: createJournal('/var/lib/drp/node', used),
        probe,
        healthz: async () =>
          active.has('kubelet.service') && node.behaviour(await node.endpoint()) !== 'unwell',
        configz: async () => undefined,
        fileHash,
        randomId: () => `id-${ids++}`,
        clock,
        progress: () => undefined,
        ...changes,
      };
    },
    async endpoint() {
      const text = (await files.readText(`/proc/${pid}/cmdline`)) ?? '';
      const [, flag] = [...text.matchAll(/--image-service-endpoint[=\0]([^\0]+)/g)].at(-1) ?? [];
      return flag ?? configured;
    },
    async fireTimer() {
      isFiring = true;
      for (const { words } of timer?.commands ?? []) {
        const [program = '', , script = ''] = words;
        if (words.includes('rollback')) {
          if (!existsSync(join(root, program))) continue;
          // It may fail; then the timer goes on.
          await rollback({ timing: TIMING, boot: false }, node.setup()).catch(() => undefined);
        } else if (sweep(script).includes('stops the timer')) {
          timer = undefined;
        }
      }
      isFiring = false;
    },
    releaseLock: () => void active.delete(LOCK_SERVICE),
    reboot() {
      active.clear();
      timer = undefined;
    },
    startKubelet,
    reload,
    write,
    read: (path) => readFile(join(root, path), 'utf8'),
    snapshot: () => snapshot(root),
  };
  for (const [path, content] of Object.entries({ ...nodeFiles(kind), ...extra })) {
    await write(path, typeof content === 'string' ? content : content.text);
  }
  await write('/proc/self/stat', await readFile('/proc/self/stat', 'utf8'));
  for (const path of ['/bin/rm', '/proc/1/mountinfo', '/run/utmp', '/var/lib/other']) await write(path, '');
  await reload();
  await startKubelet();
  return node;
}

const NO_UNIT: UnitState = {
  loadState: 'not-found',
  activeState: 'inactive',
  subState: 'dead',
  fragmentPath: '',
  dropInPaths: [],
  needDaemonReload: false,
  mainPid: 0,
  restarts: 0,
  startedAtMs: 0,
  commands: [],
};

function setVariables(environment: Map<string, string>, text: string): void {
  const [, name, value] = /^([A-Z_]+)=(.*)$/.exec(text.trim()) ?? [];
  if (name !== undefined && value !== undefined) environment.set(name, value.replace(/^"(.*)"$/, '$1'));
}

async function snapshot(root: string): Promise<Record<string, string>> {
  const entries: Record<string, string> = {};
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name).slice(root.length);
    if (path === '/proc' || path === '/run' || path.startsWith('/proc/')) continue;
    const kind = entry.isFile() ? await readFile(join(root, path), 'base64') : basename(path);
    entries[path] = entry.isSymbolicLink() ? 'link' : kind;
  }
  return entries;
}
