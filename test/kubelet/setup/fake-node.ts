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
  parseUnitFile,
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
  serviceWorks: boolean;
  /** What the host says to a program that it can't run. */
  complaint: string | undefined;
  readonly restarts: number;
  readonly timer: HostTimer | undefined;
  /** Of the running kubelet. */
  endpoint(): Promise<string | undefined>;
  /** What the host does when it is time, if somebody has armed it: with the program only if that is there. */
  fireTimer(): Promise<void>;
  reboot(): void;
  startKubelet(): Promise<void>;
  reload(): Promise<void>;
  write(path: string, text: string): Promise<void>;
  read(path: string): Promise<string>;
  /** All files but those of the kernel. */
  snapshot(): Promise<Record<string, string>>;
}

/** Shorter than on a real node: its kubelet decides at once. */
export const TIMING: SetupTiming = { stableMs: 3000, timeoutMs: 6000, undoAfterMs: 600_000 };
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
  let timer: HostTimer | undefined;
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
    const assignments = known.flatMap(({ text }) => parseUnitFile(text).assignments);
    for (const { key, value } of assignments) {
      if (key === 'ExecStartPre') await runBefore(splitCommandLine(value).words);
    }
    const environment = new Map<string, string>();
    for (const { key, value } of assignments) {
      if (key === 'Environment') setVariables(environment, value.replace(/^['"](.*)['"]$/, '$1'));
      if (key !== 'EnvironmentFile') continue;
      const text = await files.readText(value.replace(/^-/, ''));
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
    flapping = node.behaviour(await node.endpoint()) === 'flaps' ? 3 : 0;
  }

  async function runBefore(words: readonly string[]): Promise<void> {
    const option = (name: string): string => words[words.indexOf(name) + 1] ?? '';
    if (words[0]?.endsWith('/rm')) await files.put(words.at(-1) ?? '', { type: 'absent' });
    if (!words.includes('guard') || !existsSync(join(root, words[0] ?? ''))) return;
    const type = words.includes('--kubelet-config') ? 'kubelet-config' : 'environment-file';
    const target = { type, path: option(`--${type}`) } as const;
    await runGuard({ socket: option('--socket'), target, waitMs: 1 }, { probe, files, clock });
  }

  const probe: SetupDependencies['probe'] = {
    async fileSystems(socket) {
      const answers = socket !== SOCKET || (active.has('drp-image-service.service') && node.serviceWorks);
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
    async runOnce({ words }) {
      const output = />(\S+) 2>&1$/.exec(words.at(-1) ?? '')?.[1] ?? '';
      await write(output, node.complaint ?? '0.1.0\n');
      return node.complaint === undefined;
    },
    close: async () => undefined,
  };

  let ids = 0;
  const node: FakeNode = {
    root,
    behaviour: () => 'well',
    serviceWorks: true,
    complaint: undefined,
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
      if (flag !== undefined) return flag;
      const [, folder] = /--config-dir=([^\0]+)/.exec(text) ?? [];
      const config = folder ? await files.readText(`${folder}/90-drp.conf`) : undefined;
      return config
        ? (JSON.parse(config) as { imageServiceEndpoint: string }).imageServiceEndpoint
        : undefined;
    },
    async fireTimer() {
      const commands = timer?.commands ?? [];
      for (const { words } of commands) {
        const [program = '', , script = ''] = words;
        if (words.includes('rollback')) {
          if (existsSync(join(root, program))) await rollback({ timing: TIMING, boot: false }, node.setup());
        } else {
          // The record has the paths of the host, without the folder that this one is in.
          const own = script
            .replace(/ (\/(?!dev\/)\S+)/g, ` ${root}$1`)
            .replace(`grep -qF ${root}`, 'grep -qF ');
          execFileSync(program, ['-c', own]);
        }
      }
      timer = undefined;
    },
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
