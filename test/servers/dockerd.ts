import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { findBinary, requireRoot } from '../support/binaries.ts';
import { mustRun, runCommand } from '../support/commands.ts';
import { startProcess } from '../support/processes.ts';
import { createTemporaryFolder } from '../support/temporary-folder.ts';
import { waitFor } from '../support/wait.ts';

/** A Docker Engine of the test's own. */
export interface Dockerd {
  readonly socket: string;
  /** For DOCKER_HOST. */
  readonly host: string;
  readonly pid: number;
  logs(): string;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  /** Starts it again after {@link kill}, with the same content and socket. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** What dockerd sees beside what is on this machine. */
export interface DockerdOptions {
  /** Lines for its `/etc/hosts`. */
  readonly hosts?: readonly string[];
  /** Files of its `/etc`, such as `docker/certs.d/HOST/ca.crt`. */
  readonly etc?: Readonly<Record<string, string>>;
}

/**
 * Starts dockerd without a network: it pulls, but runs no container. Registries on 127.0.0.0/8 may be plain http;
 * for others it trusts what `/etc/docker/certs.d` names. With options it has an `/etc` of its own.
 */
export async function startDockerd(options: DockerdOptions = {}): Promise<Dockerd> {
  requireRoot('dockerd');
  const command = findBinary('dockerd');
  const folder = await createTemporaryFolder('dockerd');
  const socket = join(folder.path, 'docker.sock');
  const dataFolder = join(folder.path, 'data');
  const pidFile = join(folder.path, 'docker.pid');
  const containerdPidFile = join(folder.path, 'exec/containerd/containerd.pid');
  const configFile = join(folder.path, 'daemon.json');
  await writeFile(configFile, '{}');
  // dockerd mounts its data folder onto itself, and leaves the mount when it is killed.
  const cleanUp = async () => {
    await runCommand('umount', ['--quiet', '--recursive', dataFolder], { home: folder.path });
    await folder.close();
  };
  try {
    const own = options.hosts || options.etc ? await withOwnEtc(folder.path, options) : [];
    const [program = command, ...parameters] = [...own, command];
    const start = () =>
      startProcess({
        command: program,
        arguments: [
          ...parameters,
          ...['--config-file', configFile],
          ...['--data-root', dataFolder],
          ...['--exec-root', join(folder.path, 'exec')],
          ...['--pidfile', pidFile],
          ...['--host', `unix://${socket}`],
          ...['--storage-driver', 'vfs'],
          ...['--iptables=false', '--ip6tables=false', '--bridge=none'],
        ],
        logFile: join(folder.path, 'dockerd.log'),
        ready: async () => ((await ping(socket)) === 200 ? true : undefined),
      });
    let server = await start();
    return {
      socket,
      host: `unix://${socket}`,
      get pid() {
        return server.pid;
      },
      logs: () => server.logs(),
      kill: async () => {
        const containerd = await readFile(containerdPidFile, 'utf8');
        server.signal('SIGKILL');
        await server.exited;
        // It dies with dockerd, a little later; a new dockerd would take it for its own.
        await waitFor('containerd to end', async () => ((await isAlive(containerd)) ? undefined : true));
      },
      restart: async () => {
        for (const file of [pidFile, containerdPidFile]) await rm(file, { force: true });
        server = await start();
      },
      close: async () => {
        await server.close();
        await cleanUp();
      },
    };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

/** A command that runs the next one with another `/etc`, which nobody else sees: a copy with what the options add. */
async function withOwnEtc(folder: string, { hosts = [], etc = {} }: DockerdOptions): Promise<string[]> {
  const copy = join(folder, 'etc');
  await mustRun('cp', ['--archive', '/etc', copy], { home: folder });
  await appendFile(join(copy, 'hosts'), hosts.map((line) => `${line}\n`).join(''));
  for (const [name, text] of Object.entries(etc)) {
    await mkdir(dirname(join(copy, name)), { recursive: true });
    await writeFile(join(copy, name), text);
  }
  const script = 'mount --bind "$0" /etc && exec "$@"';
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, copy];
}

function ping(socketPath: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: '/_ping' }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .once('error', reject)
      .end();
  });
}

/** One that has ended and that nobody has asked about is dead, too. */
async function isAlive(pid: string): Promise<boolean> {
  const status = await readFile(`/proc/${pid.trim()}/status`, 'utf8').catch(() => 'State:\tX');
  return !/^State:\s+[XZ]/m.test(status);
}
