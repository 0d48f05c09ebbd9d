import { readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { findBinary, requireRoot } from '../support/binaries.ts';
import { runCommand } from '../support/commands.ts';
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

/**
 * Starts dockerd without a network: it pulls, but runs no container. Registries on 127.0.0.0/8 may be plain http;
 * for others it trusts what `/etc/docker/certs.d` names.
 */
export async function startDockerd(): Promise<Dockerd> {
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
    const start = () =>
      startProcess({
        command,
        arguments: [
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
