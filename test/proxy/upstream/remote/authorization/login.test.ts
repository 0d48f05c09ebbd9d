import { describe, expect, it, onTestFinished } from 'vitest';
import { mediaTypes, parseReference } from '../../../../../src/oci/index.ts';
import { type ConnectOptions, connect, credentialOf, REPOSITORY, signal } from '../../support/connect.ts';
import { type FakeRegistry, SAMPLE_MANIFEST, startFakeRegistry } from '../../support/fake-registry.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { startTokenServer, type TokenServer } from '../../support/token-server.ts';

const LATEST = parseReference('latest');
const PASSWORD = 'password-canary';

async function registry(): Promise<FakeRegistry> {
  const fake = await startFakeRegistry();
  fake.addManifest(SAMPLE_MANIFEST, mediaTypes.OCI_MANIFEST, 'latest');
  return fake;
}

async function bearerRegistry(anonymous = false): Promise<{ fake: FakeRegistry; tokens: TokenServer }> {
  const fake = await registry();
  const tokens = await startTokenServer('acme', PASSWORD, anonymous);
  fake.login = { type: 'bearer', realm: tokens.realm, accepts: tokens.accepts };
  return { fake, tokens };
}

function login(fake: FakeRegistry, options: ConnectOptions = {}) {
  const connected = connect(fake.origin, { credential: () => credentialOf('acme', PASSWORD), ...options });
  onTestFinished(() => expect(connected.logText()).not.toContain('canary'));
  return {
    ...connected,
    pull: () => {
      if (!LATEST) throw new Error('no reference');
      return connected.upstream.manifest(REPOSITORY, LATEST, { accept: [], signal: signal() });
    },
  };
}

function authorizations(server: TestServer) {
  return server.requests.map(({ headers }) => headers.authorization);
}

describe('a registry with bearer tokens', () => {
  it('is shown a token for exactly this repository, and the token server the credential', async () => {
    const { fake, tokens } = await bearerRegistry();
    const { pull } = login(fake, { realms: [tokens.origin] });
    expect((await pull()).content.toString()).toBe(SAMPLE_MANIFEST);
    expect(tokens.requests.map(({ path }) => decodeURIComponent(path))).toEqual([
      '/token?service=registry&scope=repository:team/app:pull',
    ]);
    expect(authorizations(tokens)).toEqual([`Basic ${Buffer.from(`acme:${PASSWORD}`).toString('base64')}`]);
    expect(authorizations(fake)).toEqual([undefined, 'Bearer token-1']);
  });

  it('asks for a token without a credential when there is none', async () => {
    const { fake, tokens } = await bearerRegistry(true);
    await login(fake, { realms: [tokens.origin], credential: () => undefined }).pull();
    expect(authorizations(tokens)).toEqual([undefined]);
  });

  it('is shown the same token again, without being asked', async () => {
    const { fake, tokens } = await bearerRegistry();
    const { pull } = login(fake, { realms: [tokens.origin] });
    for (let index = 0; index < 3; index += 1) await pull();
    expect(tokens.requests).toHaveLength(1);
    expect(authorizations(fake)).toEqual([undefined, 'Bearer token-1', 'Bearer token-1', 'Bearer token-1']);
  });

  it.each([
    [300, 269_999, 1],
    [300, 270_000, 2],
    [undefined, 44_999, 1],
    [undefined, 45_000, 2],
  ])(
    'is shown a new token before one of %s s ends (%i ms: %i)',
    async (lifetimeSeconds, afterMs, requests) => {
      const { fake, tokens } = await bearerRegistry();
      tokens.lifetimeSeconds = lifetimeSeconds;
      const { pull, clock } = login(fake, { realms: [tokens.origin] });
      await pull();
      clock.advance(afterMs);
      await pull();
      expect(tokens.requests).toHaveLength(requests);
    },
  );

  it('has one token fetched for fifty who want it at once', async () => {
    const { fake, tokens } = await bearerRegistry();
    const { pull } = login(fake, { realms: [tokens.origin] });
    await Promise.all(Array.from({ length: 50 }, () => pull()));
    expect(tokens.requests).toHaveLength(1);
  });

  it('has a token that it no longer takes replaced once, for all', async () => {
    const { fake, tokens } = await bearerRegistry();
    const { pull, recoveries } = login(fake, { realms: [tokens.origin] });
    await pull();
    tokens.revokeAll();
    await Promise.all(Array.from({ length: 20 }, () => pull()));
    expect(tokens.requests).toHaveLength(2);
    expect(await recoveries('reauthenticate')).toBeGreaterThan(0);
  });

  it('that takes no token is refused, after one new one', async () => {
    const { fake, tokens } = await bearerRegistry();
    const { pull } = login(fake, { realms: [tokens.origin] });
    fake.login = { type: 'bearer', realm: tokens.realm, accepts: () => false };
    await expect(pull()).rejects.toMatchObject({ kind: 'refused' });
    expect(tokens.requests).toHaveLength(1);
  });

  it('tells a caller who goes away no longer to wait for a token', async () => {
    const { fake, tokens } = await bearerRegistry();
    const { upstream } = login(fake, { realms: [tokens.origin] });
    const controller = new AbortController();
    tokens.next = () => controller.abort(new Error('gone'));
    const options = { accept: [], signal: controller.signal };
    if (LATEST) await expect(upstream.manifest(REPOSITORY, LATEST, options)).rejects.toThrow('gone');
  });

  it.each([
    [401, 'refused'],
    [403, 'refused'],
    [302, 'unsafe'],
    [500, 'faulty'],
    [429, 'rate-limited'],
  ])('whose token server answers %i is %s', async (status, kind) => {
    const { fake, tokens } = await bearerRegistry();
    const elsewhere = await startServer((_request, response) => void response.end('{"token":"x"}'));
    tokens.next = (response) => {
      response.writeHead(status, { location: `${elsewhere.origin}/token`, 'retry-after': '60' }).end();
    };
    const { pull } = login(fake, { realms: [tokens.origin, elsewhere.origin] });
    await expect(pull()).rejects.toMatchObject({ kind });
    expect(elsewhere.requests).toHaveLength(0);
  });

  it('is faulty when its token server answers without end', async () => {
    const { fake, tokens } = await bearerRegistry();
    tokens.next = (response) => void response.end(Buffer.alloc(1_100_000, '{'));
    await expect(login(fake, { realms: [tokens.origin] }).pull()).rejects.toMatchObject({ kind: 'faulty' });
  });
});

describe('a realm that is not allowed', () => {
  it.each([
    ['another port', (origin: string) => `${origin}/token`],
    [
      'a look-alike host',
      (origin: string) => `${origin.replace('127.0.0.1', '127.0.0.1.example.com')}/token`,
    ],
    ['localhost', (origin: string) => `${origin.replace('127.0.0.1', 'localhost')}/token`],
    ['https', (origin: string) => `${origin.replace('http:', 'https:')}/token`],
    ['a user name', (origin: string) => `${origin.replace('//', '//acme@')}/token`],
  ])('with %s is sent nothing', async (_what, realmOf) => {
    const { fake, tokens } = await bearerRegistry();
    fake.login = { type: 'bearer', realm: realmOf(tokens.origin), accepts: () => true };
    await expect(login(fake).pull()).rejects.toMatchObject({ kind: 'unsafe' });
    expect(tokens.connectionCount).toBe(0);
    expect(authorizations(fake)).toEqual([undefined]);
  });

  it('by its name but not by its address is sent nothing', async () => {
    const tokens = await startTokenServer('acme', PASSWORD);
    const fake = await registry();
    fake.login = { type: 'bearer', realm: 'https://auth.example.com/token', accepts: () => true };
    const connected = connect(`http://registry.example.com:${fake.port}`, {
      credential: () => credentialOf('acme', PASSWORD),
      resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    });
    if (!LATEST) throw new Error('no reference');
    const call = connected.upstream.manifest(REPOSITORY, LATEST, { accept: [], signal: signal() });
    await expect(call).rejects.toMatchObject({ kind: 'unsafe' });
    expect(fake.requests).toHaveLength(1);
    expect(tokens.connectionCount).toBe(0);
  });
});

describe('a registry with Basic', () => {
  const basic = { type: 'basic', username: 'acme', password: PASSWORD } as const;

  it('is shown the credential, from the second request on without being asked', async () => {
    const fake = await registry();
    fake.login = basic;
    const { pull } = login(fake);
    await pull();
    await pull();
    const shown = `Basic ${Buffer.from(`acme:${PASSWORD}`).toString('base64')}`;
    expect(authorizations(fake)).toEqual([undefined, shown, shown]);
  });

  it('is asked with a wrong credential once, by however many', async () => {
    const fake = await registry();
    fake.login = { ...basic, password: 'other' };
    const { pull, logText } = login(fake);
    const results = await Promise.allSettled(Array.from({ length: 50 }, () => pull()));
    expect(results.every((result) => result.status === 'rejected' && result.reason.kind === 'refused')).toBe(
      true,
    );
    expect(authorizations(fake).filter((header) => header !== undefined)).toHaveLength(1);
    expect(logText().match(/"level":"warn"/g)).toHaveLength(1);
  });

  it('is asked again when the credential has changed', async () => {
    const fake = await registry();
    fake.login = basic;
    let password = 'old';
    const { pull } = login(fake, { credential: () => credentialOf('acme', password) });
    await expect(pull()).rejects.toMatchObject({ kind: 'refused' });
    await expect(pull()).rejects.toMatchObject({ kind: 'refused' });
    password = PASSWORD;
    await pull();
    expect(authorizations(fake).filter((header) => header !== undefined)).toHaveLength(2);
  });

  it('is not asked without a credential', async () => {
    const fake = await registry();
    fake.login = basic;
    const { pull } = login(fake, { credential: () => undefined });
    await expect(pull()).rejects.toMatchObject({ kind: 'refused' });
  });
});

describe('a login that fails', () => {
  it.each([['Digest realm="x"'], ['Negotiate'], [undefined]])(
    'because %s is offered is refused',
    async (challenge) => {
      const fake = await registry();
      fake.script((_request, response) => {
        response.writeHead(401, challenge === undefined ? {} : { 'www-authenticate': challenge }).end();
        return true;
      });
      await expect(login(fake).pull()).rejects.toMatchObject({ kind: 'refused' });
    },
  );

  it('because the credential cannot be had is unreachable', async () => {
    const { fake, tokens } = await bearerRegistry();
    const credential = () => {
      throw new Error('vault is down');
    };
    const { pull } = login(fake, { realms: [tokens.origin], credential });
    await expect(pull()).rejects.toMatchObject({ kind: 'unreachable' });
  });

  it('prefers a token to a password', async () => {
    const { fake, tokens } = await bearerRegistry();
    fake.next(1, '/manifests/', (_request, response) => {
      response
        .writeHead(401, { 'www-authenticate': ['Basic realm="x"', `Bearer realm="${tokens.realm}"`] })
        .end();
    });
    await login(fake, { realms: [tokens.origin] }).pull();
    expect(authorizations(fake)).toEqual([undefined, 'Bearer token-1']);
  });

  it('does not believe a challenge that asks for more', async () => {
    const { fake, tokens } = await bearerRegistry();
    fake.next(1, '/manifests/', (_request, response) => {
      const scope = 'repository:other/app:pull,push repository:team/app:*';
      response
        .writeHead(401, { 'www-authenticate': `Bearer realm="${tokens.realm}",scope="${scope}"` })
        .end();
    });
    await login(fake, { realms: [tokens.origin] }).pull();
    expect(new URL(tokens.requests[0]?.path ?? '', 'http://x').searchParams.getAll('scope')).toEqual([
      'repository:team/app:pull',
    ]);
  });
});
