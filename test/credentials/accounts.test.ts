import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/core/index.ts';
import {
  CredentialOptionsError,
  createCredentialProvider,
  credentialOptions,
} from '../../src/credentials/index.ts';
import { createLogger } from '../../src/telemetry/index.ts';
import { loadedFile } from './loaded-file.ts';
import { describeProvider } from './provider-suite.ts';

const { signal } = new AbortController();
const registry = 'registry.example.com';
const CANARY = 'canary-7d1';

const create = (options: unknown) =>
  createCredentialProvider(credentialOptions.parse(options), {
    clock: systemClock,
    log: createLogger('silent'),
  });

const shown = async (options: unknown) => {
  const credential = await create(options).credential({ registry, signal });
  return `${credential?.username}:${credential?.password.reveal()}`;
};

describe.each([
  ['dockerhub', { username: 'acme' }, 'acme'],
  ['quay', { username: 'acme+puller' }, 'acme+puller'],
  ['gitlab', {}, 'token'],
  ['harbor', { username: 'robot$puller' }, 'robot$puller'],
  ['ghcr', {}, 'token'],
])('%s', (type, options, username) => {
  describeProvider(type, {
    type,
    create: () => create({ type, ...options, password: CANARY }),
    registry,
    expected: { username, password: CANARY },
  });

  test('takes its password from a file', async () => {
    const parsed = credentialOptions.parse({ type, ...options, passwordFile: 'token' });
    if (!('passwordFile' in parsed)) throw new Error('no file');
    parsed.passwordFile?.resolve('/run/token', Buffer.from(`${CANARY}\n`));
    const provider = createCredentialProvider(parsed, { clock: systemClock, log: createLogger('silent') });
    const credential = await provider.credential({ registry, signal });
    expect(credential?.password.reveal()).toBe(CANARY);
  });

  test.each([
    ['none', {}],
    ['both', { password: CANARY, passwordFile: 'token' }],
  ])('wants exactly one of password and passwordFile, not %s', (_name, passwords) => {
    const { error } = credentialOptions.safeParse({ type, ...options, ...passwords });
    expect(error?.issues[0]?.message).toMatch(/needs exactly one of password/);
  });
});

describe('names', () => {
  test.each([
    ['dockerhub', 'anna@example.com', /not an e-mail address/],
    ['dockerhub', 'Acme', /lower case/],
    ['quay', 'puller', /robot account such as acme\+puller/],
    ['quay', 'acme+', /robot account/],
    ['quay', '+puller', /robot account/],
    ['quay', 'a+b+c', /robot account/],
    ['harbor', 'robot', /a shell may have taken/],
    ['harbor', 'puller', /robot\$puller/],
    ['gitlab', 'a:b', /without a colon/],
    ['ghcr', 'a:b', /without a colon/],
  ])('%s refuses %s and says what it expects', (type, username, message) => {
    const { error } = credentialOptions.safeParse({ type, username, password: CANARY });
    expect(error?.issues[0]?.message).toMatch(message);
    expect(error?.issues[0]?.message).not.toContain(CANARY);
  });

  test.each([
    ['quay', { username: '$oauthtoken' }],
    ['harbor', { username: 'robot$project+name' }],
    ['harbor', { username: 'machine-ci', robotPrefix: 'machine-' }],
    ['dockerhub', { username: 'acme-corp_1' }],
  ])('%s takes %j', async (type, options) => {
    expect(await shown({ type, ...options, password: 'x' })).toBe(`${options.username}:x`);
  });
});

describe('gitlab', () => {
  test.each([
    ['glpat-x', 'token'],
    ['glcbt-64_x', 'gitlab-ci-token'],
    ['of-an-older-version', 'token'],
  ])('%s goes with the user name %s', async (password, username) => {
    expect(await shown({ type: 'gitlab', password })).toBe(`${username}:${password}`);
  });

  test('a deploy token without its user name is refused', async () => {
    expect(() => create({ type: 'gitlab', password: 'gldt-canary' })).toThrow(/set username/);
    expect(await shown({ type: 'gitlab', username: 'gitlab+deploy-token-1', password: 'gldt-x' })).toBe(
      'gitlab+deploy-token-1:gldt-x',
    );
  });
});

describe('a token', () => {
  test.each(['quay', 'gitlab', 'harbor', 'ghcr'])('of %s with white space inside is refused', (type) => {
    const username = type === 'harbor' ? 'robot$a' : type === 'quay' ? 'a+b' : 'a';
    const options = { type, username, password: 'canary one\n' };
    expect(() => create(options)).toThrow(CredentialOptionsError);
    expect(() => create(options)).toThrow(/white space/);
    expect(() => create(options)).not.toThrow(/canary/);
  });

  test('of Docker Hub may be a password with blanks', async () => {
    expect(await shown({ type: 'dockerhub', username: 'acme', password: 'two words' })).toBe(
      'acme:two words',
    );
  });

  test('names the file that holds it', () => {
    const options = credentialOptions.parse({ type: 'ghcr', passwordFile: 'token' });
    if (options.type !== 'ghcr') throw new Error('another type');
    const file = loadedFile('a b', '/run/token');
    expect(() =>
      createCredentialProvider(
        { ...options, passwordFile: file },
        { clock: systemClock, log: createLogger('silent') },
      ),
    ).toThrow('/run/token has white space');
  });
});
