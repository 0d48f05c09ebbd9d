import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findBinary, requireRoot } from '../support/binaries.ts';
import { runCommand } from '../support/commands.ts';
import { startProcess } from '../support/processes.ts';
import { createTemporaryFolder } from '../support/temporary-folder.ts';

/** A containerd of the test's own, with its CRI service. */
export interface Containerd {
  readonly socket: string;
  readonly pid: number;
  logs(): string;
  /** Ends it as if it had crashed; content stays. */
  kill(): Promise<void>;
  /** Starts it again on the same content and socket. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Starts containerd with the native snapshotter, which needs nothing of the file system. */
export async function startContainerd(): Promise<Containerd> {
  requireRoot('containerd');
  const command = findBinary('containerd');
  const ctr = findBinary('ctr');
  const folder = await createTemporaryFolder('containerd');
  const socket = join(folder.path, 'containerd.sock');
  const configFile = join(folder.path, 'config.toml');
  await writeFile(configFile, configuration(folder.path, socket));
  const start = () =>
    startProcess({
      command,
      arguments: ['--config', configFile],
      logFile: join(folder.path, 'containerd.log'),
      ready: async () => {
        const version = await runCommand(ctr, ['--address', socket, 'version'], { home: folder.path });
        return version.code === 0 ? true : undefined;
      },
    });
  try {
    let server = await start();
    return {
      socket,
      get pid() {
        return server.pid;
      },
      logs: () => server.logs(),
      async kill() {
        server.signal('SIGKILL');
        await server.exited;
      },
      async restart() {
        server = await start();
      },
      close: async () => {
        await server.close();
        await folder.close();
      },
    };
  } catch (error) {
    await folder.close();
    throw error;
  }
}

function configuration(folder: string, socket: string): string {
  const path = (name: string) => JSON.stringify(join(folder, name));
  return `version = 2
root = ${path('root')}
state = ${path('state')}
[grpc]
  address = ${JSON.stringify(socket)}
[ttrpc]
  address = ${path('ttrpc.sock')}
[plugins."io.containerd.internal.v1.opt"]
  path = ${path('opt')}
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = ${path('cni')}
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = ${path('hosts')}
`;
}
