import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createCredentialProvider, credentialOptions } from '../../../src/credentials/index.ts';
import { createLogger } from '../../../src/telemetry/index.ts';
import { createFakeClock, type FakeClock } from '../../proxy/upstream/support/fake-clock.ts';
import { loadedFile } from '../loaded-file.ts';
import { APP_ID, type GitHubApi, INSTALLATION, startGitHubApi } from './github-api.ts';

const HOUR_MS = 3_600_000;
const { signal } = new AbortController();
const registry = 'ghcr.io';

interface AppInput {
  readonly id?: string | number;
  readonly installation?: number;
  readonly key?: string;
}

function createApp(api: Pick<GitHubApi, 'url' | 'privateKeyPem'>, clock: FakeClock, input: AppInput = {}) {
  const options = credentialOptions.parse({
    type: 'ghcr',
    app: {
      id: input.id ?? APP_ID,
      installation: input.installation ?? INSTALLATION,
      privateKeyFile: 'app.pem',
      apiUrl: api.url,
    },
  });
  if (options.type !== 'ghcr' || !options.app) throw new Error('no app');
  const privateKeyFile = loadedFile(input.key ?? api.privateKeyPem, '/etc/drp/app.pem');
  const provider = createCredentialProvider(
    { ...options, app: { ...options.app, privateKeyFile } },
    { clock, log: createLogger('silent') },
  );
  onTestFinished(() => provider.close());
  return provider;
}

async function site(skewMs = 0) {
  const clock = createFakeClock();
  const api = await startGitHubApi(() => clock.now() + skewMs);
  return { clock, api };
}

describe('a GitHub App', () => {
  test('gets a token that may read packages and nothing else', async () => {
    const { clock, api } = await site();
    const credential = await createApp(api, clock).credential({ registry, signal });
    expect(credential?.username).toBe('x-access-token');
    expect(credential?.password.reveal()).toBe('ghs_canary1');
    expect(credential?.expiresAt).toBe(Math.floor(clock.now() / 1000) * 1000 + HOUR_MS);
    expect(JSON.parse(api.received[0]?.body ?? '')).toEqual({ permissions: { packages: 'read' } });
  });

  test('is asked once by many, and again before the hour is over', async () => {
    const { clock, api } = await site();
    const app = createApp(api, clock);
    const ask = async () => (await app.credential({ registry, signal }))?.password.reveal();
    await Promise.all(Array.from({ length: 20 }, ask));
    expect(api.tokens).toHaveLength(1);
    clock.advance(HOUR_MS - 61_000);
    expect(await ask()).toBe('ghs_canary1');
    clock.advance(1_000);
    expect(await ask()).toBe('ghs_canary2');
  });

  test('that was turned away is asked for a new token', async () => {
    const { clock, api } = await site();
    const app = createApp(api, clock);
    const first = await app.credential({ registry, signal });
    if (first) app.discard?.(first);
    expect((await app.credential({ registry, signal }))?.password.reveal()).toBe('ghs_canary2');
  });

  test.each([HOUR_MS, -HOUR_MS])('gets along with a clock that is %i ms away from ours', async (skewMs) => {
    const { clock, api } = await site(skewMs);
    const app = createApp(api, clock);
    const credential = await app.credential({ registry, signal });
    expect(credential?.password.reveal()).toBe('ghs_canary1');
    // By our own clock it ends an hour from now.
    expect(Math.abs((credential?.expiresAt ?? 0) - clock.now() - HOUR_MS)).toBeLessThan(2000);
    const before = api.received.length;
    if (credential) app.discard?.(credential);
    await app.credential({ registry, signal });
    expect(api.received.length - before).toBe(1);
  });

  test.each<[string, AppInput, RegExp]>([
    ['another app', { id: 'Iv23other' }, /\(401\); do app.id and the private key belong together/],
    ['another installation', { installation: 1 }, /\(404\); is app.installation right/],
  ])('says what is wrong for %s', async (_name, input, message) => {
    const { clock, api } = await site();
    await expect(createApp(api, clock, input).credential({ registry, signal })).rejects.toThrow(message);
  });

  test('with a foreign key is refused, once', async () => {
    const { clock, api } = await site();
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const asked = createApp(api, clock, { key }).credential({ registry, signal });
    await expect(asked).rejects.toMatchObject({ name: 'CredentialError' });
    expect(api.received).toHaveLength(1);
  });

  test('whose API can not be reached says so', async () => {
    const { clock, api } = await site();
    await api.stop();
    await expect(createApp(api, clock).credential({ registry, signal })).rejects.toThrow(
      `no answer from ${api.url}`,
    );
  });

  test.each([
    ['is none', 'canary', /is not a private key in PEM/],
    ['is of another kind', ecKey(), /is not an RSA key/],
  ])('is refused at the start when its key %s', async (_name, key, message) => {
    const { clock, api } = await site();
    expect(() => createApp(api, clock, { key })).toThrow(message);
    expect(() => createApp(api, clock, { key })).not.toThrow(/canary|BEGIN/);
  });
});

describe('options of an app', () => {
  const app = { id: 1, installation: 2, privateKeyFile: 'app.pem' };

  test.each([
    ['http to another machine', { type: 'ghcr', app: { ...app, apiUrl: 'http://github.example.com' } }],
    ['a user name in the URL', { type: 'ghcr', app: { ...app, apiUrl: 'https://a:b@github.example.com' } }],
    ['a password besides', { type: 'ghcr', password: 'x', app }],
    ['neither app nor password', { type: 'ghcr' }],
  ])('refuse %s', (_name, options) => {
    expect(credentialOptions.safeParse(options).success).toBe(false);
  });

  test('take the number of an app, and an Enterprise server', () => {
    const options = { type: 'ghcr', app: { ...app, apiUrl: 'https://github.example.com/api/v3' } };
    expect(credentialOptions.parse(options)).toMatchObject({ app: { id: '1' } });
  });
});

function ecKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
