import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PluginOptions } from '../../src/plugins/index.ts';
import { loadedFile } from '../credentials/loaded-file.ts';
import { mustRun } from '../support/commands.ts';
import { startProcess } from '../support/processes.ts';
import { createTemporaryFolder } from '../support/temporary-folder.ts';
import { parseOptions } from './support.ts';

/** One of the plugins in `examples/plugins`, running. */
export interface ExamplePlugin {
  readonly options: PluginOptions;
  close(): Promise<void>;
}

/** Who and what is in the examples' directory. */
export const EXAMPLE_USER = { username: 'ada', password: 'correct horse', groups: ['platform'] };
export const EXAMPLE_REGISTRY = 'registry.example.net';
export const EXAMPLE_CREDENTIAL = { username: 'acme', password: 'example-password' };

const EXAMPLES = join(import.meta.dirname, '../../examples/plugins');
const PROTO = join(import.meta.dirname, '../../proto');
const CONCURRENCY = 8;
const TIMEOUT_MS = 9000;

/** Each example, and how it is started. */
export const examplePlugins: Readonly<Record<string, () => Promise<ExamplePlugin>>> = {
  module: async () => {
    const file = loadedFile('as it is', join(EXAMPLES, 'module/plugin.mjs'));
    return {
      options: { type: 'module', file, options: {}, concurrency: CONCURRENCY, timeout: TIMEOUT_MS },
      close: async () => undefined,
    };
  },
  exec: async () => ({
    options: parseOptions({
      type: 'exec',
      command: ['/usr/bin/python3', join(EXAMPLES, 'exec/plugin.py')],
      timeout: '9s',
    }),
    close: async () => undefined,
  }),
  'grpc in JavaScript': () => startGrpc(process.execPath, 'server.mjs', {}),
  'grpc in Python': async () => {
    const folder = await createTemporaryFolder('protoc');
    await mustRun(
      'protoc',
      [`--proto_path=${PROTO}`, `--python_out=${folder.path}`, 'drp/plugin/v1/plugin.proto'],
      {
        home: folder.path,
      },
    );
    const running = await startGrpc('/usr/bin/python3', 'server.py', { PYTHONPATH: folder.path });
    return {
      ...running,
      close: async () => {
        await running.close();
        await folder.close();
      },
    };
  },
  webhook: async () => {
    const folder = await createTemporaryFolder('webhook');
    const secret = 'signs-the-requests';
    await writeFile(join(folder.path, 'secret'), `${secret}\n`);
    const running = await startProcess({
      command: process.execPath,
      arguments: [join(EXAMPLES, 'webhook/server.mjs')],
      logFile: join(folder.path, 'log'),
      environment: { PORT: '0', SECRET_FILE: join(folder.path, 'secret') },
      ready: ({ logs }) => /listening on (\S+)/.exec(logs())?.[1],
    });
    return {
      options: parseOptions({ type: 'webhook', url: `${running.ready}/drp`, secret, timeout: '9s' }),
      close: async () => {
        await running.close();
        await folder.close();
      },
    };
  },
};

async function startGrpc(
  command: string,
  server: string,
  environment: Readonly<Record<string, string>>,
): Promise<ExamplePlugin> {
  const folder = await createTemporaryFolder('grpc');
  await mkdir(join(folder.path, 'run'));
  const address = `unix://${join(folder.path, 'run/plugin.sock')}`;
  const running = await startProcess({
    command,
    arguments: [join(EXAMPLES, 'grpc', server), address],
    logFile: join(folder.path, 'log'),
    environment,
    ready: ({ logs }) => /listening on (\S+)/.exec(logs())?.[1],
  });
  return {
    options: parseOptions({ type: 'grpc', address, timeout: '9s' }),
    close: async () => {
      await running.close();
      await folder.close();
    },
  };
}
