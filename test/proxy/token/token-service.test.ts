import { webcrypto } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Identity } from '../../../src/proxy/identity/index.ts';
import { createPolicy } from '../../../src/proxy/policy/index.ts';
import { createBearer } from '../../../src/proxy/token/bearer.ts';
import {
  alice,
  decodePart,
  repository,
  SERVICE,
  type Settings,
  START,
  scopes,
  setUpTokens,
  type Tokens,
} from './support.ts';

const open: Tokens[] = [];

function setUp(settings?: Settings): Tokens {
  const tokens = setUpTokens(settings);
  open.push(tokens);
  return tokens;
}

afterEach(async () => {
  for (const tokens of open.splice(0)) await tokens.close();
});

describe('check', () => {
  it('verifies a signature once: a token that is shown again is known', async () => {
    const setup = setUp();
    const { token } = await setup.issue({ scopes: scopes('repository:dev/app:pull') });
    const verify = vi.spyOn(webcrypto.subtle, 'verify');
    const first = await setup.tokens.check(token, SERVICE);
    expect(verify).toHaveBeenCalledTimes(1);
    expect(await setup.tokens.check(token, SERVICE)).toBe(first);
    expect(verify).toHaveBeenCalledTimes(1);
    verify.mockRestore();
  });
});

describe('issue', () => {
  it('signs who it is, what for and how long', async () => {
    const setup = setUp();
    const issued = await setup.issue({ scopes: scopes('repository:dev/app:pull,push,delete') });
    expect(issued).toMatchObject({
      expiresInSeconds: 300,
      issuedAt: new Date(START),
      scopes: scopes('repository:dev/app:pull,push'),
      refreshToken: undefined,
      identity: alice,
    });
    expect(decodePart(issued.token, 0)).toEqual({ alg: 'ES256', kid: setup.keys.current.kid, typ: 'JWT' });
    expect(decodePart(issued.token, 1)).toEqual({
      iss: 'drp',
      aud: SERVICE,
      sub: 'alice',
      iat: START / 1000,
      nbf: START / 1000,
      exp: START / 1000 + 300,
      jti: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
      verifier: 'staff',
      groups: ['dev'],
      claims: { id: 7 },
      access: [{ type: 'repository', name: 'dev/app', actions: ['pull', 'push'] }],
    });
  });

  it('gives a token without a grant to who may nothing', async () => {
    const issued = await setUp().issue({ scopes: scopes('repository:secret/app:pull') });
    expect(issued.scopes).toEqual([]);
    expect(decodePart(issued.token, 1).access).toEqual([]);
  });

  it('refuses an anonymous client unless anonymous access is on', async () => {
    const setup = setUp();
    const anonymous = {
      grant: { type: 'anonymous' },
      scopes: scopes('repository:public/app:pull,push'),
    } as const;
    expect(await setup.outcome(anonymous)).toMatchObject({ type: 'refused' });
    setup.change({ anonymous: true });
    const issued = await setup.issue(anonymous);
    expect(issued.scopes).toEqual(scopes('repository:public/app:pull'));
    expect(decodePart(issued.token, 1)).toMatchObject({ sub: '', verifier: 'anonymous' });
    expect(await setup.tokens.check(issued.token, SERVICE)).toBeDefined();
  });

  it('takes anonymous tokens no longer than anonymous access is on', async () => {
    const setup = setUp({ anonymous: true });
    const { token } = await setup.issue({ grant: { type: 'anonymous' } });
    setup.change({ anonymous: false });
    expect(await setup.tokens.check(token, SERVICE)).toBeUndefined();
  });

  it.each([
    { type: 'refused', reason: 'wrong password' } as const,
    { type: 'cannot-tell', reason: 'down' } as const,
  ])('passes on what the verifiers say: $type', async (login) => {
    expect(await setUp({ login }).outcome()).toEqual(login);
  });

  it('refuses an identity that no header could carry', async () => {
    const groups = Array.from({ length: 500 }, (_, n) => `group-${n}`);
    const setup = setUp({ login: { type: 'identity', identity: { ...alice, groups } } });
    expect(await setup.outcome()).toMatchObject({
      type: 'refused',
      reason: expect.stringContaining('too large'),
    });
    expect(setup.log.join()).toContain('too large for a token');
  });

  it('issues no token that it would not check: as many scopes as fit', async () => {
    const identity: Identity = {
      ...alice,
      groups: ['dev', ...Array.from({ length: 400 }, (_, n) => `g${n}`)],
    };
    const setup = setUp({
      login: { type: 'identity', identity },
      rules: [{ name: 'all', repositories: ['**'], actions: ['pull'] }],
    });
    const asked = Array.from({ length: 100 }, (_, n) => `repository:${'a'.repeat(100)}/${n}:pull`);
    const { token, scopes: granted } = await setup.issue({ scopes: scopes(...asked) });
    expect(granted.length).toBeGreaterThan(20);
    expect(granted).toEqual(scopes(...asked).slice(0, granted.length));
    expect(await setup.tokens.check(token, SERVICE)).toBeDefined();
  });

  it('refuses a service that makes the token too long', async () => {
    expect(await setUp().outcome({ service: 'x'.repeat(20_000) })).toMatchObject({ type: 'refused' });
  });
});

describe('a checked token', () => {
  it('says whose it is, what it covers and what the policy says', async () => {
    const setup = setUp();
    const { token } = await setup.issue({ scopes: scopes('repository:dev/app:pull') });
    const bearer = await setup.tokens.check(token, SERVICE);
    expect(bearer?.identity).toEqual(alice);
    expect(bearer?.expiresAt).toBe(START + 300_000);
    expect(bearer?.covers(repository('dev/app'), 'pull')).toBe(true);
    expect(bearer?.covers(repository('dev/app'), 'push')).toBe(false);
    expect(bearer?.covers(repository('dev/app2'), 'pull')).toBe(false);
    expect(bearer?.decide(repository('dev/app'), 'push')).toEqual({ allowed: true, rule: 'dev' });
    expect(bearer?.decide(repository('dev/app'), 'delete')).toEqual({ allowed: false, rule: undefined });
  });

  it('does not take another resource for a repository of its name', () => {
    const access = [{ type: 'registry', name: 'catalog', actions: ['pull'] }];
    const bearer = createBearer(alice, START, access, createPolicy({ rules: [] }));
    expect(bearer.covers(repository('catalog'), 'pull')).toBe(false);
  });

  it('is kept until it ends, for the service it was issued for', async () => {
    const setup = setUp();
    const { token } = await setup.issue();
    const bearer = await setup.tokens.check(token, SERVICE);
    expect(await setup.tokens.check(token, SERVICE)).toBe(bearer);
    expect(await setup.tokens.check(token, 'other.example.com')).toBeUndefined();
    setup.advance(299_999);
    expect(await setup.tokens.check(token, SERVICE)).toBe(bearer);
    setup.advance(1);
    expect(await setup.tokens.check(token, SERVICE)).toBeUndefined();
  });

  it('decides rightly however many repositories it is asked about', async () => {
    const setup = setUp();
    const { token } = await setup.issue();
    const bearer = await setup.tokens.check(token, SERVICE);
    for (let round = 0; round < 2; round += 1) {
      for (let n = 0; n < 200; n += 1) {
        expect(bearer?.decide(repository(`dev/a${n}`), 'pull').rule).toBe('dev');
        expect(bearer?.decide(repository(`dev/a${n}`), 'delete').allowed).toBe(false);
        expect(bearer?.decide(repository(`other/a${n}`), 'pull').allowed).toBe(false);
      }
    }
  });

  it('holds after a restart with the same keys', async () => {
    const setup = setUp();
    const { token } = await setup.issue();
    await setup.restart();
    expect((await setup.tokens.check(token, SERVICE))?.identity).toEqual(alice);
  });

  it('can be checked with the published keys alone', async () => {
    const { createLocalJWKSet, jwtVerify } = await import('jose');
    const setup = setUp();
    const { token } = await setup.issue();
    const { payload } = await jwtVerify(token, createLocalJWKSet(setup.tokens.publicKeys()), {
      currentDate: new Date(START),
      issuer: 'drp',
      audience: SERVICE,
    });
    expect(payload.sub).toBe('alice');
    expect(JSON.stringify(setup.tokens.publicKeys())).not.toContain('"d"');
  });
});
