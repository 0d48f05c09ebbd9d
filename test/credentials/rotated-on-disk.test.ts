import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ConfigWatcher, createConfigWatcher, loadConfig } from '../../src/config/index.ts';
import { systemClock } from '../../src/core/index.ts';
import { createCredentialProvider } from '../../src/credentials/index.ts';
import { type ProxyOptions, proxyOptions } from '../../src/proxy/index.ts';
import { createLogger } from '../../src/telemetry/index.ts';
import { ownFolder } from '../support/own-folder.ts';

const { signal } = new AbortController();
const registry = 'registry.example.com';
const log = createLogger('silent');

/** Options of each kind that has a file, and what the file holds for a password. */
const KINDS: [type: string, options: string, file: (password: string) => string][] = [
  ['static', 'type: static, username: a, passwordFile: secret', (password) => `${password}\n`],
  ['dockerhub', 'type: dockerhub, username: a, passwordFile: secret', (password) => `${password}\n`],
  ['quay', 'type: quay, username: a+b, passwordFile: secret', (password) => `${password}\n`],
  ['gitlab', 'type: gitlab, passwordFile: secret', (password) => password],
  ['harbor', 'type: harbor, username: robot$a, passwordFile: secret', (password) => password],
  ['ghcr', 'type: ghcr, passwordFile: secret', (password) => password],
  [
    'a member of a pool',
    'type: pool, members: [{ type: anonymous }, { type: ghcr, passwordFile: secret }]',
    (password) => password,
  ],
  [
    'docker-config',
    'type: docker-config, file: secret',
    (password) => JSON.stringify({ auths: { [registry]: { username: 'a', password } } }),
  ],
];

async function passwordOf({ upstreams }: ProxyOptions): Promise<string | undefined> {
  const provider = createCredentialProvider(upstreams.one?.credentials, { clock: systemClock, log });
  const credential = await provider.credential({ registry, signal });
  await provider.close();
  return credential?.password.reveal();
}

test.each(KINDS)('a password of %s that is rotated on disk is used', async (_name, options, file) => {
  const folder = await ownFolder();
  const path = join(folder, 'drp.yaml');
  const secret = join(folder, 'secret');
  await writeFile(
    path,
    `upstreams: { one: { url: "https://${registry}", credentials: { ${options} } } }\nroutes: []\n`,
  );
  await writeFile(secret, file('first'));
  const load = () => loadConfig(path, proxyOptions, { env: {} });
  const initial = await load();
  expect(await passwordOf(initial.value)).toBe('first');

  let watcher: ConfigWatcher | undefined;
  const changed = new Promise<ProxyOptions>((resolve, reject) => {
    watcher = createConfigWatcher({
      load,
      initial,
      onChange: async ({ value }) => resolve(value),
      onRefused: reject,
    });
  });
  await writeFile(secret, file('second'));
  expect(await passwordOf(await changed)).toBe('second');
  await watcher?.close();
});

test('a file that a credential helper reads and that is rotated is used', async () => {
  const folder = await ownFolder();
  const helper = join(folder, 'docker-credential-reader');
  await writeFile(
    helper,
    `#!/bin/sh\nread -r registry\nprintf '{"Username":"a","Secret":"%s"}' "$(cat '${folder}/secret')"\n`,
  );
  await chmod(helper, 0o755);
  await writeFile(join(folder, 'config.json'), JSON.stringify({ credsStore: 'reader' }));
  await writeFile(join(folder, 'secret'), 'first');
  const text = `upstreams:\n  one:\n    url: https://${registry}\n    credentials: { type: docker-config, file: config.json, helperDirectories: ["${folder}"] }\nroutes: []\n`;
  const path = join(folder, 'drp.yaml');
  await writeFile(path, text);
  const { value } = await loadConfig(path, proxyOptions, { env: {} });
  const provider = createCredentialProvider(value.upstreams.one?.credentials, { clock: systemClock, log });
  const first = await provider.credential({ registry, signal });
  expect(first?.password.reveal()).toBe('first');
  await writeFile(join(folder, 'secret'), 'second');
  // The registry has turned the old one away.
  if (first) provider.discard?.(first);
  expect((await provider.credential({ registry, signal }))?.password.reveal()).toBe('second');
  expect(await readFile(path, 'utf8')).toBe(text);
  await provider.close();
});
