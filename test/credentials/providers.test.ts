import { describe, expect, test } from 'vitest';
import { Secret, systemClock } from '../../src/core/index.ts';
import {
  type CredentialOptions,
  CredentialOptionsError,
  createCredentialProvider,
  credentialOptions,
} from '../../src/credentials/index.ts';
import { createLogger } from '../../src/telemetry/index.ts';
import { loadedFile } from './loaded-file.ts';
import { describeProvider } from './provider-suite.ts';

const create = (options?: CredentialOptions) =>
  createCredentialProvider(options, { clock: systemClock, log: createLogger('silent') });
const { signal } = new AbortController();
const registry = 'registry.example.com:5000';

describeProvider('no options', { type: 'anonymous', create: () => create(), registry, expected: undefined });

describeProvider('anonymous', {
  type: 'anonymous',
  create: () => create({ type: 'anonymous' }),
  registry,
  expected: undefined,
});

describeProvider('static with a password', {
  type: 'static',
  create: () => create({ type: 'static', username: 'acme', password: new Secret('canary-1') }),
  registry,
  expected: { username: 'acme', password: 'canary-1' },
});

describeProvider('static with a password file', {
  type: 'static',
  create: () => create({ type: 'static', username: 'acme', passwordFile: loadedFile('canary-2\n') }),
  registry,
  expected: { username: 'acme', password: 'canary-2' },
});

describeProvider('docker-config', {
  type: 'docker-config',
  create: () =>
    create({
      type: 'docker-config',
      file: loadedFile(JSON.stringify({ auths: { [registry]: { username: 'acme', password: 'canary-3' } } })),
      helperEnvironment: [],
    }),
  registry,
  expected: { username: 'acme', password: 'canary-3' },
});

describe('static', () => {
  test.each([
    ['pass', 'pass'],
    ['pass\n', 'pass'],
    ['pass\r\n', 'pass'],
    ['pass\n\n', 'pass\n'],
    [' pass ', ' pass '],
  ])('a password file that holds %j means %j', async (content, expected) => {
    const provider = create({ type: 'static', username: 'acme', passwordFile: loadedFile(content) });
    expect((await provider.credential({ registry, signal }))?.password.reveal()).toBe(expected);
  });

  test.each(['', '\n'])('refuses a password file that holds only %j', (content) => {
    const options: CredentialOptions = {
      type: 'static',
      username: 'acme',
      passwordFile: loadedFile(content, '/run/secrets/hub'),
    };
    expect(() => create(options)).toThrow(CredentialOptionsError);
    expect(() => create(options)).toThrow('/run/secrets/hub holds no password');
  });

  test('refuses a user name with a colon, which Basic authentication can not carry', () => {
    expect(credentialOptions.safeParse({ type: 'static', username: 'a:b', password: 'p' }).success).toBe(
      false,
    );
  });
});
