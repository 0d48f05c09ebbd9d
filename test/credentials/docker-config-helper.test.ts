import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createDockerConfigProvider } from '../../src/credentials/docker-config/index.ts';
import { createFakeClock } from '../proxy/upstream/support/fake-clock.ts';
import { loadedFile } from './loaded-file.ts';
import { describeProvider } from './provider-suite.ts';

const KEPT_MS = 5 * 60_000;
const { signal } = new AbortController();

/** Answers with what its file holds, and notes what it was asked and what it could see. */
const HELPER = `#!/bin/sh
read -r registry
echo "$1 $registry" >> "$HOME/asked"
env | sort > "$HOME/seen"
cat "$HOME/login"
`;
const login = (username: string, secret: string) =>
  JSON.stringify({ ServerURL: 'x', Username: username, Secret: secret });

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'drp-helper-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

interface Site {
  readonly script?: string;
  readonly config?: unknown;
  readonly environment?: string[];
}

async function site({ script = HELPER, config, environment = [] }: Site = {}) {
  const home = await folder();
  await writeFile(join(home, 'docker-credential-test'), script);
  await chmod(join(home, 'docker-credential-test'), 0o755);
  await writeFile(join(home, 'login'), login('acme', 'canary-1'));
  const clock = createFakeClock();
  const content = JSON.stringify(config ?? { credsStore: 'test' });
  const provider = createDockerConfigProvider(
    { type: 'docker-config', file: loadedFile(content), helperEnvironment: environment },
    {
      clock,
      environment: { PATH: `relative:${home}:/usr/bin:/bin`, HOME: home, AWS_PROFILE: 'pull', SECRET: 'no' },
    },
  );
  onTestFinished(() => provider.close());
  const ask = async (registry = 'gcr.io') => {
    const credential = await provider.credential({ registry, signal });
    return credential && `${credential.username}:${credential.password.reveal()}`;
  };
  const lines = async (name: string) => (await readFile(join(home, name), 'utf8')).trim().split('\n');
  return { home, provider, clock, ask, lines };
}

describe('a credential helper', () => {
  test('is asked for the registry by standard input, once by many', async () => {
    const { ask, lines } = await site();
    expect(await Promise.all(Array.from({ length: 10 }, () => ask()))).toContain('acme:canary-1');
    expect(await lines('asked')).toEqual(['get gcr.io']);
  });

  test('is asked for Docker Hub by the key that Docker uses', async () => {
    const { ask, lines } = await site();
    await ask('registry-1.docker.io');
    expect(await lines('asked')).toEqual(['get https://index.docker.io/v1/']);
  });

  test('sees PATH, HOME, what is listed, and no other variable', async () => {
    const { ask, lines } = await site({ environment: ['AWS_PROFILE', 'NOT_SET'] });
    await ask();
    const names = (await lines('seen'))
      .map((line) => line.split('=')[0])
      .filter((name) => !/^(PWD|_|SHLVL|OLDPWD)$/.test(name ?? ''));
    expect(names).toEqual(['AWS_PROFILE', 'HOME', 'PATH']);
  });

  test('that reads another file by now gives the new secret: five minutes later, or when the old one was turned away', async () => {
    const { home, provider, clock, ask } = await site();
    expect(await ask()).toBe('acme:canary-1');
    await writeFile(join(home, 'login'), login('acme', 'canary-2'));
    expect(await ask()).toBe('acme:canary-1');
    clock.advance(KEPT_MS);
    expect(await ask()).toBe('acme:canary-2');
    await writeFile(join(home, 'login'), login('acme', 'canary-3'));
    const current = await provider.credential({ registry: 'gcr.io', signal });
    if (current) provider.discard?.(current);
    expect(await ask()).toBe('acme:canary-3');
  });

  test('may give an identity token', async () => {
    const { home, ask } = await site();
    await writeFile(join(home, 'login'), login('<token>', 'canary-refresh'));
    expect(await ask()).toBe('<token>:canary-refresh');
  });

  test('for one registry goes before the store, and what stands in the file before both stays', async () => {
    const auths = { 'quay.io': { auth: Buffer.from('q:canary').toString('base64') } };
    const { ask } = await site({ config: { credHelpers: { 'gcr.io': 'test' }, credsStore: 'none', auths } });
    expect(await ask('gcr.io')).toBe('acme:canary-1');
    expect(await ask('quay.io')).toBe('q:canary');
    await expect(ask('other.example.com')).rejects.toThrow('there is no program docker-credential-none in ');
  });

  test('that knows no such registry leaves the call anonymous', async () => {
    const { ask } = await site({
      script: '#!/bin/sh\necho credentials not found in native keychain; exit 1\n',
    });
    expect(await ask()).toBeUndefined();
  });

  test.each([
    [
      'fails',
      '#!/bin/sh\necho the keychain is locked; exit 3\n',
      /ended with exit code 3: the keychain is locked$/,
    ],
    [
      'fails after a secret',
      `#!/bin/sh\necho '${login('a', 'canary')}'; exit 1\n`,
      /ended with exit code 1$/,
    ],
    ['writes nonsense', '#!/bin/sh\necho canary\n', /did not answer with a user name and a secret/],
    ['gives no secret', `#!/bin/sh\necho '${login('canary', '')}'\n`, /did not answer with/],
    ['writes without end', '#!/bin/sh\nexec cat /dev/zero\n', /wrote more than 65536 bytes/],
    ['is no program', '', /docker-credential-test/],
    ['gives a user name with a colon', `#!/bin/sh\necho '${login('a:b', 'canary')}'\n`, /with a colon/],
  ])('that %s is an error that says so', async (_name, script, message) => {
    const { ask } = await site({ script });
    const error = await ask().catch((thrown: unknown) => thrown);
    expect(String(error)).toMatch(message);
    expect(String(error)).not.toContain('canary');
  });

  test('is ended when the provider is closed', async () => {
    const { provider, ask, home } = await site({
      script: '#!/bin/sh\ntouch "$HOME/started"; exec sleep 600\n',
    });
    const asked = ask().catch((error: unknown) => error);
    await expect
      .poll(() =>
        readFile(join(home, 'started')).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    await provider.close();
    expect(String(await asked)).toContain('the provider is closed');
  });
});

describeProvider('docker-config with a helper', {
  type: 'docker-config',
  create: () =>
    createDockerConfigProvider(
      {
        type: 'docker-config',
        file: loadedFile(JSON.stringify({ credHelpers: { 'gcr.io': 'suite' } })),
        helperDirectories: [join(import.meta.dirname, 'helpers')],
        helperEnvironment: [],
      },
      { clock: createFakeClock() },
    ),
  registry: 'gcr.io',
  expected: { username: 'suite', password: 'canary-of-the-suite' },
});
