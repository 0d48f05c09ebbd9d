import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/core/index.ts';
import { CredentialOptionsError, createCredentialProvider } from '../../src/credentials/index.ts';
import { createLogger } from '../../src/telemetry/index.ts';
import { loadedFile } from './loaded-file.ts';

const { signal } = new AbortController();
const PATH = '/root/.docker/config.json';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

function provider(config: unknown) {
  const content = typeof config === 'string' ? config : JSON.stringify(config);
  return createCredentialProvider(
    { type: 'docker-config', file: loadedFile(content, PATH), helperEnvironment: [] },
    { clock: systemClock, log: createLogger('silent') },
  );
}

async function find(config: unknown, registry: string): Promise<string | undefined> {
  const credential = await provider(config).credential({ registry, signal });
  return credential && `${credential.username}:${credential.password.reveal()}`;
}

describe('docker-config: keys', () => {
  test.each([
    ['https://index.docker.io/v1/', 'registry-1.docker.io'],
    ['docker.io', 'registry-1.docker.io'],
    ['index.docker.io', 'registry-1.docker.io'],
    ['registry-1.docker.io', 'registry-1.docker.io'],
    ['https://index.docker.io/v1/', 'docker.io'],
    ['gcr.io', 'gcr.io'],
    ['https://gcr.io', 'gcr.io'],
    ['https://gcr.io/', 'gcr.io'],
    ['https://gcr.io/v1/', 'gcr.io'],
    ['https://gcr.io/v2', 'gcr.io'],
    ['https://GCR.io:443/v2/', 'gcr.io'],
    ['http://localhost:5000', 'localhost:5000'],
    ['127.0.0.1:5000', '127.0.0.1:5000'],
    ['[::1]:5000', '[::1]:5000'],
  ])('%s stands for %s', async (key, registry) => {
    expect(await find({ auths: { [key]: { auth: base64('acme:canary') } } }, registry)).toBe('acme:canary');
  });

  test.each([
    ['gcr.io', 'gcr.io:5000'],
    ['gcr.io:5000', 'gcr.io'],
    ['gcr.io', 'eu.gcr.io'],
    ['docker.io', 'docker.io.example.com'],
    ['quay.io/team', 'quay.io'],
    ['https://user@gcr.io', 'gcr.io'],
    ['__proto__', 'constructor'],
  ])('%s does not stand for %s', async (key, registry) => {
    expect(await find({ auths: { [key]: { auth: base64('acme:canary') } } }, registry)).toBeUndefined();
  });

  test('of two keys for one registry the first counts', async () => {
    const auths = { 'https://gcr.io': { auth: base64('a:1') }, 'gcr.io': { auth: base64('b:2') } };
    expect(await find({ auths }, 'gcr.io')).toBe('a:1');
  });
});

describe('docker-config: entries', () => {
  test('a password may hold colons', async () => {
    expect(await find({ auths: { 'gcr.io': { auth: base64('_json_key:{"a":1}') } } }, 'gcr.io')).toBe(
      '_json_key:{"a":1}',
    );
  });

  test('any user name without a colon and any password survive', async () => {
    const text = fc.string({ minLength: 1, unit: 'grapheme' }).filter((value) => !value.includes('\0'));
    await fc.assert(
      fc.asyncProperty(
        text.filter((name) => !name.includes(':')),
        text,
        async (name, password) => {
          const auths = { 'gcr.io': { auth: base64(`${name}:${password}`) } };
          expect(await find({ auths }, 'gcr.io')).toBe(`${name}:${password}`);
        },
      ),
    );
  });

  test('trailing NUL bytes are padding', async () => {
    expect(await find({ auths: { 'gcr.io': { auth: base64('acme:canary\0\0') } } }, 'gcr.io')).toBe(
      'acme:canary',
    );
  });

  test('an empty entry without a helper is no credential', async () => {
    expect(await find({ auths: { 'gcr.io': {} } }, 'gcr.io')).toBeUndefined();
    expect(await find({}, 'gcr.io')).toBeUndefined();
  });

  test('an identity token goes by the name that Docker gives it', async () => {
    const auths = { 'gcr.io': { auth: base64('<token>:x'), identitytoken: 'canary' } };
    expect(await find({ auths }, 'gcr.io')).toBe('<token>:canary');
    expect(await find({ auths }, 'quay.io')).toBeUndefined();
  });
});

describe('docker-config: a broken file is refused at once, named, and not quoted', () => {
  test.each([
    ['no JSON', '{"auths": {"gcr.io": {"auth": "canary'],
    ['a list', '["canary"]'],
    ['auths of the wrong type', { auths: 'canary' }],
    ['a password of the wrong type', { auths: { 'gcr.io': { password: ['canary'] } } }],
    ['a helper that leads elsewhere', { credHelpers: { 'gcr.io': '../../canary' } }],
    ['a store that is no name', { credsStore: 'Canary canary' }],
    ['auth that is not base64', { auths: { 'gcr.io': { auth: 'canary!' } } }],
    ['auth without a colon', { auths: { 'gcr.io': { auth: base64('canary') } } }],
    ['auth without a user name', { auths: { 'gcr.io': { auth: base64(':canary') } } }],
    ['auth without a password', { auths: { 'gcr.io': { auth: base64('canary:') } } }],
  ])('%s', (_name, config) => {
    let error: unknown;
    try {
      provider(config);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(CredentialOptionsError);
    expect(String(error)).toContain(PATH);
    expect(String(error)).not.toMatch(/canary/i);
    expect((error as Error).cause).toBeUndefined();
  });
});
