import { describe, expect, it, onTestFinished } from 'vitest';
import type { CredentialProvider } from '../../../../../src/credentials/index.ts';
import { mediaTypes, parseReference, parseRepositoryName } from '../../../../../src/oci/index.ts';
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

describe('an identity token', () => {
  const identity = () => credentialOf('<token>', PASSWORD);

  it('goes to the token server as a refresh token, and never as a password', async () => {
    const fake = await registry();
    const bodies: string[] = [];
    const realm = await startServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      bodies.push(`${request.method} ${request.headers.authorization} ${body}`);
      response.end(JSON.stringify({ access_token: 'by-refresh', expires_in: 300 }));
    });
    fake.login = {
      type: 'bearer',
      realm: `${realm.origin}/token`,
      accepts: (token) => token === 'by-refresh',
    };
    await login(fake, { realms: [realm.origin], credential: identity }).pull();
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: PASSWORD,
      client_id: 'docker-registry-proxy',
      scope: 'repository:team/app:pull',
      service: 'registry',
    });
    expect(bodies).toEqual([`POST undefined ${form}`]);
    expect(authorizations(fake)).toEqual([undefined, 'Bearer by-refresh']);
  });

  it('that is no longer good is tried once, and then rests', async () => {
    const fake = await registry();
    const realm = await startServer((_request, response) => {
      response.writeHead(400).end('{"error":"invalid_grant"}');
    });
    fake.login = { type: 'bearer', realm: `${realm.origin}/token`, accepts: () => false };
    const { pull } = login(fake, { realms: [realm.origin], credential: identity });
    for (let index = 0; index < 5; index += 1)
      await expect(pull()).rejects.toMatchObject({ kind: 'refused' });
    expect(realm.requests).toHaveLength(1);
  });

  it('is not shown to a registry that wants a password', async () => {
    const fake = await registry();
    fake.login = { type: 'basic', username: '<token>', password: PASSWORD };
    await expect(login(fake, { credential: identity }).pull()).rejects.toThrow(/identity token/);
    expect(authorizations(fake)).toEqual([undefined]);
  });
});

describe('a password that was rotated upstream', () => {
  it('costs a bearer registry one attempt, then there is a pause, and the new one is taken at once', async () => {
    const { fake, tokens } = await bearerRegistry();
    let password = PASSWORD;
    const { pull, clock, logText } = login(fake, {
      realms: [tokens.origin],
      credential: () => credentialOf('acme', password),
    });
    await pull();
    tokens.password = 'rotated-canary';
    tokens.revokeAll();
    const before = tokens.requests.length;
    for (let index = 0; index < 20; index += 1)
      await expect(pull()).rejects.toMatchObject({ kind: 'refused' });
    expect(tokens.requests.length - before).toBe(1);
    expect(logText().match(/"pauseSeconds":30/g)).toHaveLength(1);
    clock.advance(30_000);
    await expect(pull()).rejects.toMatchObject({ kind: 'refused' });
    expect(tokens.requests.length - before).toBe(2);
    password = 'rotated-canary';
    await pull();
    expect(tokens.requests.length - before).toBe(3);
  });

  it('costs a Basic registry one attempt and its proof, then there is a pause, and the old one may come back', async () => {
    const fake = await registry();
    const basic = { type: 'basic', username: 'acme' } as const;
    fake.login = { ...basic, password: PASSWORD };
    const { upstream, pull, clock } = login(fake);
    await pull();
    fake.login = { ...basic, password: 'rotated' };
    const before = fake.requests.length;
    const other = { query: new URLSearchParams(), signal: signal() };
    await expect(upstream.catalog(other)).rejects.toMatchObject({ kind: 'unsupported' });
    for (let index = 0; index < 20; index += 1)
      await expect(pull()).rejects.toMatchObject({ kind: 'refused' });
    expect(fake.requests.slice(before).map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /v2/_catalog',
      'HEAD /v2/team/app/manifests/latest',
    ]);
    clock.advance(30_000);
    fake.login = { ...basic, password: PASSWORD };
    await pull();
  });
});

it('single repositories that answer 401 do not close a Basic registry', async () => {
  const fake = await registry();
  fake.login = { type: 'basic', username: 'acme', password: PASSWORD };
  const { pull, upstream, logText } = login(fake);
  await pull();
  for (const name of ['team/one', 'team/two', 'team/three']) {
    const repository = parseRepositoryName(name);
    if (!repository || !LATEST) throw new Error('no name');
    fake.next(1, `/${name}/`, (_request, response) => {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="registry"' }).end();
    });
    const asked = upstream.manifest(repository, LATEST, { accept: [], signal: signal() });
    await expect(asked).rejects.toMatchObject({ kind: 'refused' });
  }
  await pull();
  expect(logText()).not.toContain('pauseSeconds');
});

describe('a credential that a provider can renew', () => {
  it('is renewed once when it is turned away', async () => {
    const fake = await registry();
    fake.login = { type: 'basic', username: 'AWS', password: 'second' };
    const made = ['first', 'second', 'third'];
    const discarded: string[] = [];
    const provider: CredentialProvider = {
      type: 'test',
      credential: async () => credentialOf('AWS', made[0] ?? 'none'),
      discard: (credential) => {
        discarded.push(credential.password.reveal());
        made.shift();
      },
      close: async () => {},
    };
    const { pull, logText } = login(fake, { provider });
    await pull();
    await pull();
    expect(discarded).toEqual(['first']);
    expect(logText()).toContain('the registry refuses our credential');
  });

  it('is renewed once and no more when the new one is turned away too', async () => {
    const fake = await registry();
    fake.login = { type: 'basic', username: 'AWS', password: 'other' };
    let serial = 0;
    const provider: CredentialProvider = {
      type: 'test',
      credential: async () => credentialOf('AWS', `made-${serial}`),
      discard: () => {
        serial += 1;
      },
      close: async () => {},
    };
    const { pull } = login(fake, { provider });
    for (let index = 0; index < 10; index += 1)
      await expect(pull()).rejects.toMatchObject({ kind: 'refused' });
    expect(serial).toBe(1);
  });
});

describe('clock skew of an hour', () => {
  it.each([3_600_000, -3_600_000])(
    '(%i ms) does no harm to tokens: their length counts, not their date',
    async (skewMs) => {
      const fake = await registry();
      let given = 0;
      const realm = await startServer((_request, response) => {
        given += 1;
        const issued_at = new Date(skewed.clock.now() + skewMs).toISOString();
        response.setHeader('date', new Date(skewed.clock.now() + skewMs).toUTCString());
        response.end(JSON.stringify({ token: 'skewed', expires_in: 300, issued_at }));
      });
      fake.login = { type: 'bearer', realm: `${realm.origin}/token`, accepts: (token) => token === 'skewed' };
      const skewed = login(fake, { realms: [realm.origin] });
      for (let index = 0; index < 5; index += 1) await skewed.pull();
      expect(given).toBe(1);
      skewed.clock.advance(270_000);
      await skewed.pull();
      expect(given).toBe(2);
    },
  );
});
