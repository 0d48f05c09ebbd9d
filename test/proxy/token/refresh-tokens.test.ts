import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/core/index.ts';
import type { IssuedToken, TokenOutcome } from '../../../src/proxy/token/index.ts';
import type { StateStore } from '../../../src/state/index.ts';
import {
  alice,
  DAY_MS,
  decodePart,
  SERVICE,
  type Settings,
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

type Kind = 'fixed' | 'rotating';

async function logIn(setup: Tokens, refresh: Kind): Promise<Secret> {
  return refreshTokenOf(await setup.issue({ refresh }));
}

function refreshTokenOf({ refreshToken }: IssuedToken): Secret {
  if (!refreshToken) throw new Error('there is no refresh token');
  return refreshToken;
}

function use(
  setup: Tokens,
  refreshToken: Secret,
  refresh: 'none' | Kind = 'none',
  service = SERVICE,
): Promise<TokenOutcome> {
  return setup.outcome({ grant: { type: 'refresh', refreshToken }, refresh, service });
}

async function rotate(setup: Tokens, refreshToken: Secret): Promise<Secret> {
  const outcome = await use(setup, refreshToken, 'rotating');
  if (outcome.type !== 'issued') throw new Error(`${outcome.type}: ${outcome.reason}`);
  return refreshTokenOf(outcome.issued);
}

const ISSUED = { type: 'issued' };
const REFUSED = { type: 'refused' };

describe('a refresh token is issued', () => {
  it('only when it is asked for', async () => {
    const setup = setUp();
    expect((await setup.issue()).refreshToken).toBeUndefined();
    expect((await logIn(setup, 'fixed')).reveal()).toMatch(/^drp_rt_[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}$/);
  });

  it('never to anonymous', async () => {
    const setup = setUp({ anonymous: true });
    const issued = await setup.issue({ grant: { type: 'anonymous' }, refresh: 'fixed' });
    expect(issued.refreshToken).toBeUndefined();
  });

  it('never where nobody could renew it', async () => {
    const setup = setUp({ canRenew: false });
    expect((await setup.issue({ refresh: 'rotating' })).refreshToken).toBeUndefined();
  });

  it('never without a lifetime', async () => {
    expect((await setUp({ refreshLifetime: 0 }).issue({ refresh: 'fixed' })).refreshToken).toBeUndefined();
  });
});

describe.each<Kind>(['fixed', 'rotating'])('a %s refresh token', (kind) => {
  it('gets access tokens with the groups of today', async () => {
    const setup = setUp({
      renew: async (identity) => ({
        type: 'identity',
        identity: { ...identity, groups: ['ops'], claims: {} },
      }),
    });
    const token = await logIn(setup, kind);
    const issued = await setup.issue({
      grant: { type: 'refresh', refreshToken: token },
      scopes: scopes('repository:dev/app:pull', 'repository:public/app:pull'),
    });
    expect(setup.renewed).toEqual([{ identity: alice, anchor: 'mark' }]);
    expect(issued.scopes).toEqual(scopes('repository:public/app:pull'));
    expect(issued.refreshToken).toBeUndefined();
    expect(decodePart(issued.token, 1)).toMatchObject({ sub: 'alice', groups: ['ops'], claims: {} });
  });

  it('can be used many times while it is not exchanged', async () => {
    const setup = setUp();
    const token = await logIn(setup, kind);
    for (let n = 0; n < 3; n += 1) {
      setup.advance(DAY_MS);
      expect(await use(setup, token)).toMatchObject(ISSUED);
    }
  });

  it('survives a restart', async () => {
    const setup = setUp();
    const token = await logIn(setup, kind);
    await setup.restart();
    expect(await use(setup, token)).toMatchObject(ISSUED);
  });

  it('is not on disk in any form that could be shown', async () => {
    const setup = setUp();
    const [family, secret] = (await logIn(setup, kind)).reveal().slice('drp_rt_'.length).split('.');
    await setup.restart();
    const files = await readdir(setup.directory);
    const texts = await Promise.all(files.map((file) => readFile(join(setup.directory, file), 'latin1')));
    expect(texts.join()).toContain(family);
    expect(texts.join()).not.toContain(secret);
  });

  it('is good for its own service only', async () => {
    const setup = setUp();
    const token = await logIn(setup, kind);
    expect(await use(setup, token, 'none', 'other.example.com')).toMatchObject(REFUSED);
    expect(await use(setup, token)).toMatchObject(ISSUED);
  });

  it('ends at a fixed time after the login, however often it is used', async () => {
    const setup = setUp({ refreshLifetime: 10 * DAY_MS });
    let token = await logIn(setup, kind);
    for (let n = 0; n < 9; n += 1) {
      setup.advance(DAY_MS);
      if (kind === 'rotating') token = await rotate(setup, token);
      else expect(await use(setup, token)).toMatchObject(ISSUED);
    }
    setup.advance(DAY_MS - 1);
    expect(await use(setup, token)).toMatchObject(ISSUED);
    setup.advance(1);
    expect(await use(setup, token)).toMatchObject(REFUSED);
  });

  it('ends for good when its verifier refuses', async () => {
    const setup = setUp({ renew: async () => ({ type: 'refused', reason: 'the password has changed' }) });
    const token = await logIn(setup, kind);
    expect(await use(setup, token)).toMatchObject({ type: 'refused', reason: 'the password has changed' });
    setup.change({ renew: async (identity) => ({ type: 'identity', identity }) });
    expect(await use(setup, token)).toMatchObject(REFUSED);
    expect(setup.renewed).toHaveLength(1);
  });

  it('stays when its verifier cannot tell', async () => {
    const setup = setUp({ renew: async () => ({ type: 'cannot-tell', reason: 'down' }) });
    const token = await logIn(setup, kind);
    expect(await use(setup, token, 'rotating')).toMatchObject({ type: 'cannot-tell', reason: 'down' });
    setup.change({ renew: async (identity) => ({ type: 'identity', identity }) });
    expect(await use(setup, token)).toMatchObject(ISSUED);
  });

  it('can be revoked, with nothing else', async () => {
    const setup = setUp();
    const [token, other] = [await logIn(setup, kind), await logIn(setup, kind)];
    await setup.tokens.revoke(token);
    await setup.tokens.revoke(token);
    expect(await use(setup, token)).toMatchObject(REFUSED);
    expect(await use(setup, other)).toMatchObject(ISSUED);
  });

  it.each<[string, (token: string, other: string) => string]>([
    ['another secret', (token, other) => `${token.split('.')[0]}.${other.split('.')[1]}`],
    ['another family', (_token, other) => `${other.split('.')[0]}.${'A'.repeat(43)}`],
    ['a secret cut short', (token) => token.slice(0, -1)],
    ['a longer secret', (token) => `${token}A`],
    ['no secret', (token) => `${token.split('.')[0]}.`],
    ['no prefix', (token) => token.slice('drp_rt_'.length)],
    ['a line break behind it', (token) => `${token}\n`],
    ['nothing', () => ''],
    ['a megabyte', (token) => token + 'A'.repeat(1_000_000)],
    ['an access token', () => 'a.b.c'],
  ])('is not the same as %s, which neither works nor revokes', async (_, change) => {
    const setup = setUp();
    const [token, other] = [await logIn(setup, kind), await logIn(setup, kind)];
    const changed = new Secret(change(token.reveal(), other.reveal()));
    expect(await use(setup, changed, 'rotating')).toMatchObject(REFUSED);
    await setup.tokens.revoke(changed);
    expect(await use(setup, token)).toMatchObject(ISSUED);
    expect(await use(setup, other)).toMatchObject(ISSUED);
  });
});

describe('a fixed refresh token', () => {
  it('never has a successor, whatever is asked for', async () => {
    const setup = setUp();
    const token = await logIn(setup, 'fixed');
    for (const refresh of ['rotating', 'fixed', 'none'] as const) {
      expect(await use(setup, token, refresh)).toMatchObject({
        type: 'issued',
        issued: { refreshToken: undefined },
      });
    }
  });
});

describe('a rotating refresh token', () => {
  it('yields a successor of the same family at each exchange', async () => {
    const setup = setUp();
    const token = await logIn(setup, 'rotating');
    const second = await rotate(setup, token);
    const third = await rotate(setup, second);
    const parts = [token, second, third].map((one) => one.reveal().split('.'));
    expect(new Set(parts.map(([family]) => family)).size).toBe(1);
    expect(new Set(parts.map(([, secret]) => secret)).size).toBe(3);
    expect(await use(setup, third)).toMatchObject(ISSUED);
  });

  it('revokes its family when it is shown again after it was spent', async () => {
    const setup = setUp();
    const token = await logIn(setup, 'rotating');
    const successor = await rotate(setup, token);
    setup.advance(10_001);
    expect(await use(setup, token)).toMatchObject(REFUSED);
    expect(setup.log.join()).toContain('a spent refresh token was shown again');
    expect(await use(setup, successor)).toMatchObject(REFUSED);
    for (const one of [token, successor]) expect(setup.log.join()).not.toContain(one.reveal().split('.')[1]);
  });

  it('is honoured for ten seconds more, without a successor', async () => {
    const setup = setUp();
    const token = await logIn(setup, 'rotating');
    const successor = await rotate(setup, token);
    setup.advance(10_000);
    expect(await use(setup, token, 'rotating')).toMatchObject({
      type: 'issued',
      issued: { refreshToken: undefined },
    });
    expect(await use(setup, successor)).toMatchObject(ISSUED);
  });

  it('revokes its family also when an older one is shown', async () => {
    const setup = setUp();
    const token = await logIn(setup, 'rotating');
    let latest = token;
    for (let n = 0; n < 10; n += 1) latest = await rotate(setup, latest);
    setup.advance(60_000);
    expect(await use(setup, token)).toMatchObject(REFUSED);
    expect(await use(setup, latest)).toMatchObject(REFUSED);
  });

  it('can be revoked by a spent one', async () => {
    const setup = setUp();
    const token = await logIn(setup, 'rotating');
    const successor = await rotate(setup, token);
    await setup.tokens.revoke(token);
    expect(await use(setup, successor)).toMatchObject(REFUSED);
  });

  it('keeps a record that does not grow', async () => {
    const setup = setUp();
    let token = await logIn(setup, 'rotating');
    for (let n = 0; n < 100; n += 1) token = await rotate(setup, token);
    const files = await readdir(setup.directory);
    const texts = await Promise.all(files.map((file) => readFile(join(setup.directory, file), 'latin1')));
    const lengths = [...texts.join().matchAll(/\{"secretHash".*?"created":\d+/g)].map(
      ([text]) => text.length,
    );
    expect(lengths.length).toBeGreaterThan(0);
    expect(Math.max(...lengths)).toBeLessThan(3000);
  });

  it('has exactly one successor when twenty exchange it at once; all get access tokens', async () => {
    const setup = setUp();
    const token = await logIn(setup, 'rotating');
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => use(setup, token, 'rotating')));
    const issued = outcomes.map((outcome) => {
      if (outcome.type !== 'issued') throw new Error(outcome.reason);
      return outcome.issued;
    });
    const successors = issued.flatMap(({ refreshToken }) => refreshToken ?? []);
    expect(successors).toHaveLength(1);
    expect(await rotate(setup, successors[0] as Secret)).toBeDefined();
  });

  it('is not spent by an answer that does not go out', async () => {
    const setup = setUp();
    const token = await logIn(setup, 'rotating');
    const groups = Array.from({ length: 500 }, (_, n) => `group-${n}`);
    setup.change({ renew: async (identity) => ({ type: 'identity', identity: { ...identity, groups } }) });
    expect(await use(setup, token, 'rotating')).toMatchObject(REFUSED);
    setup.change({ renew: async (identity) => ({ type: 'identity', identity }) });
    setup.advance(60_000);
    expect(await rotate(setup, token)).toBeDefined();
  });
});

describe('when the state store is out of reach', () => {
  const down = (): Promise<never> => Promise.reject(new Error('no connection'));
  const state: StateStore = {
    get: down,
    insert: down,
    replace: down,
    delete: down,
    close: async () => undefined,
  };
  const refreshToken = new Secret(`drp_rt_${'A'.repeat(22)}.${'A'.repeat(43)}`);

  it('nobody can tell, and logins without refresh tokens go on', async () => {
    const setup = setUp({ state });
    const cannotTell = { type: 'cannot-tell', reason: 'no connection' };
    expect(await use(setup, refreshToken)).toMatchObject(cannotTell);
    expect(await setup.outcome({ refresh: 'fixed' })).toMatchObject(cannotTell);
    expect(await setup.outcome()).toMatchObject(ISSUED);
    await expect(setup.tokens.revoke(refreshToken)).rejects.toThrow('no connection');
  });

  it('a record that can not be read is no token', async () => {
    const get = async () => ({ value: '{"secretHash":"x"}', version: 1, expiresAt: Number.MAX_SAFE_INTEGER });
    const setup = setUp({ state: { ...state, get } });
    expect(await use(setup, refreshToken)).toMatchObject(REFUSED);
  });
});
