import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { parseChallenges } from '../../../src/oci/index.ts';
import type { TokenRequest } from '../../../src/proxy/token/index.ts';
import { memoryUpstream } from './support/memory-upstream.ts';
import { bearer, type StartedRegistry, type StartOptions, startRegistry } from './support/start-registry.ts';

let registry: StartedRegistry | undefined;

afterEach(async () => {
  await registry?.close();
});

async function start(options: Partial<StartOptions> = {}): Promise<StartedRegistry> {
  const upstream = memoryUpstream();
  upstream.putManifest('app', Buffer.from('{}'), 'v1');
  registry = await startRegistry({ upstreams: [upstream], ...options });
  return registry;
}

const DIGEST = `sha256:${'a'.repeat(64)}`;
const PATHS = [
  '/v2/',
  '/v2/_catalog',
  '/v2/app/tags/list',
  '/v2/app/manifests/v1',
  `/v2/app/blobs/${DIGEST}`,
  `/v2/app/referrers/${DIGEST}`,
  '/v2/app/blobs/uploads/',
  '/v2/app/blobs/uploads/1',
];
const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS'];

describe('without a token', () => {
  it('every method on every path of the API is 401 with a challenge', async () => {
    const { url } = await start({ anonymous: true });
    for (const path of PATHS) {
      for (const method of METHODS) {
        const answer = await fetch(url + path, { method });
        expect(answer.status, `${method} ${path}`).toBe(401);
        expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="/);
        await answer.arrayBuffer();
      }
    }
  });

  it('the challenge names realm, service and one scope in the client’s names', async () => {
    const { url, port } = await start();
    const answer = await fetch(`${url}/v2/app/manifests/v1`);
    const [challenge] = parseChallenges([answer.headers.get('www-authenticate') ?? '']);
    expect(Object.fromEntries(challenge?.parameters ?? [])).toEqual({
      realm: `${url}/token`,
      service: `127.0.0.1:${port}`,
      scope: 'repository:app:pull',
    });
    expect(await answer.json()).toMatchObject({ errors: [{ code: 'UNAUTHORIZED' }] });
  });

  it('a password on the API is answered with the way to a token', async () => {
    const { url } = await start();
    const answer = await fetch(`${url}/v2/`, { headers: { authorization: 'Basic YTpi' } });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });
});

describe('with a token', () => {
  it('that is not valid: 401 invalid_token', async () => {
    const { url } = await start();
    for (const authorization of ['Bearer nonsense', 'bearer e30.e30.e30', `Bearer ${'.'.repeat(10_000)}`]) {
      const answer = await fetch(`${url}/v2/app/manifests/v1`, { headers: { authorization } });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
    }
  });

  it('for another service: 401', async () => {
    const { url } = await start();
    expect((await fetch(`${url}/v2/`, { headers: bearer({ service: 'other.example' }) })).status).toBe(401);
  });

  it('for another scope: 401 insufficient_scope, so that clients ask again', async () => {
    const { url } = await start();
    const answer = await fetch(`${url}/v2/app/manifests/v1`, { headers: bearer({ access: ['other:pull'] }) });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
  });

  it('where no rule grants: 403 DENIED, whether or not there is such a thing', async () => {
    const { url, audit } = await start({
      rules: [{ name: 'r', repositories: ['other'], actions: ['pull'] }],
    });
    const answers = [];
    for (const path of ['/v2/app/manifests/v1', '/v2/nowhere/manifests/v1', `/v2/app/blobs/${DIGEST}`]) {
      const answer = await fetch(url + path, { headers: bearer() });
      answers.push([answer.status, (await answer.text()).replaceAll(/app|nowhere/g, 'NAME')]);
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]?.[0]).toBe(403);
    expect(audit()).toHaveLength(3);
    expect(audit()[0]).toMatchObject({
      outcome: 'denied',
      name: 'anna',
      repository: 'app',
      reference: 'v1',
      action: 'pull',
    });
  });

  it('an anonymous one where no rule grants: 401, because a login may help', async () => {
    const { url } = await start({ rules: [], anonymous: true });
    const headers = bearer({ identity: { verifier: 'anonymous', name: '' } });
    expect((await fetch(`${url}/v2/app/manifests/v1`, { headers })).status).toBe(401);
  });

  it('pushes and deletes are UNSUPPORTED in the protocol’s form', async () => {
    const { url } = await start({
      rules: [{ name: 'r', repositories: ['**'], actions: ['pull', 'push', 'delete'] }],
    });
    const requests = [
      ['POST', '/v2/app/blobs/uploads/'],
      ['PUT', '/v2/app/manifests/v1'],
      ['DELETE', '/v2/app/manifests/v1'],
      ['PATCH', '/v2/app/blobs/uploads/1'],
      ['OPTIONS', '/v2/app/manifests/v1'],
      ['PUT', '/v2/'],
    ] as const;
    for (const [method, path] of requests) {
      const answer = await fetch(url + path, {
        method,
        headers: bearer(),
        ...(method === 'PUT' && { body: '{}' }),
      });
      expect(answer.status, `${method} ${path}`).toBe(405);
      expect(await answer.json()).toMatchObject({ errors: [{ code: 'UNSUPPORTED' }] });
    }
  });

  it('who asked, what, by which rule and how many bytes is in the audit log', async () => {
    const { url, audit } = await start();
    await (await fetch(`${url}/v2/app/manifests/v1`, { headers: bearer() })).arrayBuffer();
    await expect.poll(audit).toHaveLength(1);
    expect(audit()[0]).toMatchObject({
      log: 'audit',
      verifier: 'test',
      name: 'anna',
      action: 'pull',
      host: new URL(url).host,
      upstream: 'memory',
      repository: 'app',
      reference: 'v1',
      rule: 'all',
      outcome: 'allowed',
      status: 200,
      bytes: 2,
      complete: true,
      client: '127.0.0.1',
    });
  });
});

describe('the public URL', () => {
  async function realm(options: Partial<StartOptions>, headers: Record<string, string>) {
    const { url } = await start(options);
    const answer = await fetch(`${url}/v2/`, { headers });
    return /realm="([^"]*)"/.exec(answer.headers.get('www-authenticate') ?? '')?.[1];
  }
  const forwarded = {
    'x-forwarded-host': 'docker.example.com',
    'x-forwarded-proto': 'https',
    'x-forwarded-for': '203.0.113.9',
  };

  it('is taken from X-Forwarded-* of a trusted proxy', async () => {
    expect(await realm({ trusts: (address) => address === '127.0.0.1' }, forwarded)).toBe(
      'https://docker.example.com/token',
    );
    expect(await realm({ trusts: () => false }, forwarded)).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/token$/);
  });

  it('is the configured one wherever there is one', async () => {
    const server = { publicUrl: 'https://docker.example.com/' };
    expect(await realm({ server, trusts: () => true }, { 'x-forwarded-host': 'evil.example' })).toBe(
      'https://docker.example.com/token',
    );
  });

  it('never holds a host that is none', async () => {
    const { url } = await start({ trusts: () => true });
    for (const host of ['a"b', 'a b', 'a/b', 'user@host', 'a,b:c', '']) {
      const answer = await fetch(`${url}/v2/`, { headers: { 'x-forwarded-host': host } });
      expect([400, 401]).toContain(answer.status);
      expect(answer.headers.get('www-authenticate') ?? '').not.toContain('evil');
      if (answer.status === 401)
        expect(answer.headers.get('www-authenticate')).toMatch(/realm="http:\/\/[a-z0-9.:-]+\/token"/);
    }
  });
});

describe('the token endpoint', () => {
  function recording(outcome?: Awaited<ReturnType<NonNullable<StartOptions['tokens']>['issue'] & {}>>) {
    const requests: TokenRequest[] = [];
    const issue = async (request: TokenRequest) => {
      requests.push(request);
      return outcome ?? ({ type: 'refused', reason: 'wrong password' } as const);
    };
    return { requests, tokens: { issue } };
  }
  const issued = {
    type: 'issued',
    issued: {
      token: 'the.signed.token',
      expiresInSeconds: 300,
      issuedAt: new Date(0),
      scopes: [{ type: 'repository', name: 'a', actions: ['pull'] }],
      refreshToken: undefined,
      identity: { verifier: 'local', name: 'anna', groups: [], claims: {} },
    },
  } as const;

  it('reads GET with Basic, several scopes and offline_token', async () => {
    const { requests, tokens } = recording(issued);
    const { url, port } = await start({ tokens });
    const answer = await fetch(
      `${url}/token?service=127.0.0.1:${port}&scope=repository:a:pull&scope=repository:b:pull%20repository:c:push&offline_token=true&client_id=docker`,
      {
        headers: { authorization: `Basic ${Buffer.from('anna:pass:word').toString('base64')}` },
      },
    );
    expect(await answer.json()).toEqual({
      token: 'the.signed.token',
      access_token: 'the.signed.token',
      token_type: 'Bearer',
      expires_in: 300,
      issued_at: '1970-01-01T00:00:00.000Z',
      scope: 'repository:a:pull',
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const [request] = requests;
    expect(request).toMatchObject({
      refresh: 'fixed',
      service: `127.0.0.1:${port}`,
      grant: { type: 'password', credential: { username: 'anna' } },
    });
    expect(request?.grant.type === 'password' && request.grant.credential.password.reveal()).toBe(
      'pass:word',
    );
    expect(request?.scopes.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  it('reads POST with a password and with a refresh token', async () => {
    const { requests, tokens } = recording(issued);
    const { url } = await start({ tokens });
    const post = (form: Record<string, string>) =>
      fetch(`${url}/token`, { method: 'POST', body: new URLSearchParams(form) });
    await post({
      grant_type: 'password',
      username: 'anna',
      password: 'x',
      access_type: 'offline',
      scope: 'repository:a:pull repository:b:pull',
    });
    await post({ grant_type: 'refresh_token', refresh_token: 'r' });
    expect(requests.map(({ grant, refresh, scopes }) => [grant.type, refresh, scopes.length])).toEqual([
      ['password', 'rotating', 2],
      ['refresh', 'none', 0],
    ]);
    expect((await post({ grant_type: 'client_credentials' })).status).toBe(400);
    expect(
      (await fetch(`${url}/token`, { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } }))
        .status,
    ).toBe(400);
  });

  it('says 401 to a wrong login, 503 when it can not be checked, and writes both down', async () => {
    const refused = await start(recording());
    const wrong = await fetch(`${refused.url}/token`, {
      headers: { authorization: `Basic ${Buffer.from('anna:x').toString('base64')}` },
    });
    expect(wrong.status).toBe(401);
    await expect
      .poll(refused.audit)
      .toMatchObject([{ action: 'login', outcome: 'refused', name: 'anna', status: 401 }]);
    await refused.close();
    const unclear = await start(recording({ type: 'cannot-tell', reason: 'directory is down' }));
    const answer = await fetch(`${unclear.url}/token`, {
      headers: { authorization: `Basic ${Buffer.from('anna:x').toString('base64')}` },
    });
    expect(answer.status).toBe(503);
    expect(await answer.text()).not.toContain('directory');
  });

  it('turns away with 429 when too many logins failed', async () => {
    const { url, audit } = await start(
      recording({ type: 'limited', reason: 'too many failed logins', retryAfterSeconds: 17 }),
    );
    const answer = await fetch(`${url}/token`, { headers: { authorization: 'Basic YTpi' } });
    expect(answer.status).toBe(429);
    expect(answer.headers.get('retry-after')).toBe('17');
    expect(await answer.json()).toMatchObject({ errors: [{ code: 'TOOMANYREQUESTS' }] });
    await expect.poll(audit).toMatchObject([{ action: 'login', outcome: 'limited', status: 429 }]);
  });

  it('gives nothing to nobody unless anonymous access is on', async () => {
    const off = recording(issued);
    const closed = await start(off);
    expect((await fetch(`${closed.url}/token`)).status).toBe(401);
    expect(off.requests).toEqual([]);
    await closed.close();
    const on = recording(issued);
    const open = await start({ tokens: on.tokens, anonymous: true });
    expect((await fetch(`${open.url}/token`)).status).toBe(200);
    expect(on.requests[0]?.grant.type).toBe('anonymous');
  });

  it.each(['service=evil.example', 'scope=nonsense', 'scope=repository:a:pull%20x'])(
    'refuses %s',
    async (query) => {
      const { url } = await start({ anonymous: true, ...recording(issued) });
      const answer = await fetch(`${url}/token?${query}`);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toHaveProperty('errors');
    },
  );

  it('takes any Authorization without a fault of ours', async () => {
    const { url } = await start(recording());
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[!-~][ -~]{0,60}$/), async (authorization) => {
        const answer = await fetch(`${url}/token`, { headers: { authorization: authorization.trim() } });
        expect([400, 401]).toContain(answer.status);
        expect(await answer.json()).toHaveProperty('errors');
      }),
      { numRuns: 100 },
    );
  });
});
