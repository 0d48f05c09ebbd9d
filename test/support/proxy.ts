import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { type RunningProcess, startProcess } from './processes.ts';
import { createTemporaryFolder } from './temporary-folder.ts';

const PROGRAM = 'dist/cli/main.js';

/** A configuration file's content; `server.address` and `adminAddress` get a free port when they are missing. */
export interface ProxyConfiguration {
  readonly server?: Readonly<Record<string, unknown>>;
  readonly [section: string]: unknown;
}

/** How to start a proxy. */
export interface ProxyStart {
  /** The folder of the configuration file and of what it names; a new one when missing. */
  readonly folder?: string;
  /** Files to write beside the configuration file first. */
  readonly files?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
}

/** `drp serve` in a process of its own. */
export interface RunningProxy extends RunningProcess<unknown> {
  /** Such as `http://127.0.0.1:5000`. */
  readonly url: string;
  readonly adminUrl: string;
  /** Host and port, as image references begin. */
  readonly host: string;
  readonly folder: string;
  /** Standard output's JSON lines. */
  logLines(): Record<string, unknown>[];
  /** Replaces the configuration file; addresses stay. */
  configure(configuration: ProxyConfiguration): Promise<void>;
}

/** Starts the proxy that `make build` made, with a configuration file, and waits until it listens. */
export async function startProxy(
  configuration: ProxyConfiguration,
  start: ProxyStart = {},
): Promise<RunningProxy> {
  const own = start.folder === undefined ? await createTemporaryFolder('proxy') : undefined;
  const folder = start.folder ?? own?.path ?? '';
  const configFile = join(folder, 'proxy.yaml');
  const logFile = join(folder, 'proxy.log');
  for (const [name, text] of Object.entries(start.files ?? {})) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  await writeFile(logFile, '');
  const configure = (next: ProxyConfiguration) => writeFile(configFile, stringify(withAddresses(next)));
  await configure(configuration);

  const server = await startProcess({
    command: process.execPath,
    arguments: [resolve(PROGRAM), 'serve', '--config', configFile],
    folder,
    logFile,
    environment: { ...process.env, ...start.environment },
    ready: ({ logs }) => jsonLines(logs()).find((line) => line.msg === 'listening'),
  }).catch(async (error: unknown) => {
    await own?.close();
    throw error;
  });
  const url = String(server.ready.url);
  return {
    ...server,
    url,
    adminUrl: String(server.ready.adminUrl),
    host: new URL(url).host,
    folder,
    logLines: () => jsonLines(server.logs()),
    configure,
    close: async () => {
      await server.close();
      await own?.close();
    },
  };
}

function withAddresses(configuration: ProxyConfiguration): ProxyConfiguration {
  const withPorts = { address: '127.0.0.1:0', adminAddress: '127.0.0.1:0', ...configuration.server };
  return { ...configuration, server: withPorts };
}

function jsonLines(text: string): Record<string, unknown>[] {
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as Record<string, unknown>];
    } catch {
      // Not every line of standard error is JSON, and the last line may not be complete.
      return [];
    }
  });
}
