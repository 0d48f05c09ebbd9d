import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findBinary } from '../support/binaries.ts';
import { findFreePort } from '../support/ports.ts';
import { startProcess } from '../support/processes.ts';
import { createTemporaryFolder } from '../support/temporary-folder.ts';

const START_TRIES = 5;

/** How to start nginx. */
export interface NginxOptions {
  /** How many ports the servers need; 1 when missing. */
  readonly ports?: number;
  readonly workers?: number;
  /** Files to write into nginx' folder, such as certificates. */
  readonly files?: Readonly<Record<string, string>>;
  /** What stands inside `http { }`, given the free ports to listen on. */
  readonly http: (ports: readonly number[], folder: string) => string;
}

/** An nginx of the test's own. */
export interface Nginx {
  readonly ports: readonly number[];
  readonly folder: string;
  readonly pid: number;
  logs(): string;
  close(): Promise<void>;
}

/** Starts nginx on loopback ports that are free. */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const command = findBinary('nginx');
  const folder = await createTemporaryFolder('nginx');
  await chmod(folder.path, 0o755);
  await mkdir(join(folder.path, 'temp'));
  for (const [name, text] of Object.entries(options.files ?? {})) {
    await writeFile(join(folder.path, name), text);
  }
  const logFile = join(folder.path, 'nginx.log');
  for (let tries = 1; ; tries++) {
    const ports: number[] = [];
    while (ports.length < (options.ports ?? 1)) ports.push(await findFreePort());
    await writeFile(join(folder.path, 'nginx.conf'), configuration(options, ports, folder.path));
    try {
      const server = await startProcess({
        command,
        arguments: ['-p', folder.path, '-c', join(folder.path, 'nginx.conf'), '-e', logFile],
        logFile,
        // nginx says so once every port is bound.
        ready: ({ logs }) => (/start worker process/.test(logs()) ? true : undefined),
      });
      return {
        ports,
        folder: folder.path,
        pid: server.pid,
        logs: server.logs,
        close: async () => {
          await server.close();
          await folder.close();
        },
      };
    } catch (error) {
      const portTaken = /Address already in use/.test(String(error));
      if (portTaken && tries < START_TRIES) continue;
      await folder.close();
      throw error;
    }
  }
}

function configuration(options: NginxOptions, ports: readonly number[], folder: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${join(folder, 'temp', kind)};`,
  );
  return `daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes ${options.workers ?? 1};
pid ${join(folder, 'nginx.pid')};
error_log ${join(folder, 'nginx.log')} notice;
events { worker_connections 4096; }
http {
  access_log off;
  ${temporary.join('\n  ')}
  ${options.http(ports, folder)}
}
`;
}
