import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Clock, FolderReference, Secret } from '../../../src/core/index.ts';
import {
  createAuthenticator,
  createLoginLimits,
  type LoginAttempt,
  type LoginLimits,
  type Verifier,
} from '../../../src/proxy/identity/index.ts';
import { createStateStore, type StateStore } from '../../../src/state/index.ts';
import { createLogger, createMetrics } from '../../../src/telemetry/index.ts';
import { createMemoryState } from '../../support/memory-state.ts';

const OPTIONS = { failuresPerAddress: 5, failuresPerAccount: 3, window: 60_000 };
const LIMITED = { type: 'limited', retryAfterSeconds: 60 };

let now: number;
let folder: string;
let state: StateStore;
let limits: LoginLimits;
const clock: Clock = { now: () => now, sleep: () => new Promise(() => {}) };

beforeEach(() => {
  now = 1_000_000;
  folder = mkdtempSync(join(tmpdir(), 'drp-limits-'));
  const directory = new FolderReference('state');
  directory.resolve(folder);
  state = createStateStore({ type: 'embedded', directory }, { clock });
  limits = createLoginLimits(OPTIONS, { state, clock });
});

afterEach(async () => {
  await state.close();
  rmSync(folder, { recursive: true });
});

const { signal } = new AbortController();
setMaxListeners(0, signal);

async function begin(address: string, account: string | undefined): Promise<LoginAttempt> {
  const attempt = await limits.begin(address, account, signal);
  if (attempt.type !== 'open') throw new Error(attempt.reason);
  return attempt;
}

async function fail(times: number, address: string, account: string | undefined): Promise<void> {
  for (let time = 0; time < times; time += 1) await (await begin(address, account)).failed();
}

async function check(address: string, account: string | undefined, of = limits) {
  const attempt = await of.begin(address, account, signal);
  if (attempt.type === 'limited') return attempt;
  attempt.undecided();
  return { type: attempt.type };
}

describe('failed logins', () => {
  it('close an account, from everywhere, until the window ends', async () => {
    await fail(2, '192.0.2.1', 'anna');
    expect(await check('192.0.2.1', 'anna')).toEqual({ type: 'open' });
    await fail(1, '198.51.100.7', 'anna');
    expect(await check('203.0.113.9', 'anna')).toMatchObject(LIMITED);
    expect(await check('192.0.2.1', 'ben')).toEqual({ type: 'open' });
    now += 60_000;
    expect(await check('192.0.2.1', 'anna')).toEqual({ type: 'open' });
  });

  it('close an address for every account', async () => {
    for (const account of ['a', 'b', 'c', 'd', undefined]) await fail(1, '192.0.2.1', account);
    expect(await check('192.0.2.1', 'new')).toMatchObject(LIMITED);
    expect(await check('192.0.2.1', undefined)).toMatchObject(LIMITED);
    expect(await check('192.0.2.2', 'new')).toEqual({ type: 'open' });
  });

  it('count a whole network of IPv6 as one address, and a mapped address as itself', async () => {
    for (let host = 1; host <= 5; host += 1) await fail(1, `2001:db8:1:2::${host}`, undefined);
    expect(await check('2001:db8:1:2:ffff::1', 'x')).toMatchObject(LIMITED);
    expect(await check('2001:db8:1:3::1', 'x')).toEqual({ type: 'open' });
    await fail(5, '::ffff:192.0.2.1', undefined);
    expect(await check('192.0.2.1', 'x')).toMatchObject(LIMITED);
  });

  it('are forgotten for an account that gets in, and not for the address', async () => {
    await fail(2, '192.0.2.1', 'anna');
    await (await begin('198.51.100.7', 'anna')).succeeded();
    await fail(2, '192.0.2.1', 'anna');
    expect(await check('192.0.2.9', 'anna')).toEqual({ type: 'open' });
    await fail(1, '192.0.2.1', undefined);
    expect(await check('192.0.2.1', 'anna')).toMatchObject(LIMITED);
  });

  it('are still known after a restart', async () => {
    await fail(3, '192.0.2.1', 'anna');
    const again = createLoginLimits(OPTIONS, { state, clock });
    expect(await check('192.0.2.9', 'anna', again)).toMatchObject(LIMITED);
  });

  it('of many at once are all counted', async () => {
    limits = createLoginLimits(
      { ...OPTIONS, failuresPerAddress: 100, failuresPerAccount: 50 },
      { state, clock },
    );
    const attempts = await Promise.all(Array.from({ length: 50 }, () => begin('192.0.2.1', 'anna')));
    await Promise.all(attempts.map((attempt) => attempt.failed()));
    expect(await check('192.0.2.9', 'anna')).toMatchObject(LIMITED);
    expect(await check('192.0.2.1', 'ben')).toEqual({ type: 'open' });
  });
});

describe('logins under way', () => {
  /** Begins as many, and notes what became of each. */
  function beginAll(count: number, address: (index: number) => string, account: string | undefined) {
    const open: LoginAttempt[] = [];
    const limited: number[] = [];
    const all = Array.from({ length: count }, async (_, index) => {
      const attempt = await limits.begin(address(index), account, signal);
      if (attempt.type === 'open') open.push(attempt);
      else limited.push(index);
    });
    return { open, limited, ended: Promise.all(all) };
  }

  const turns = async () => {
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };

  it('are no more than may still fail, of an account from anywhere', async () => {
    await fail(1, '198.51.100.7', 'anna');
    const { open, limited, ended } = beginAll(10, (index) => `192.0.2.${index}`, 'anna');
    await turns();
    expect(open).toHaveLength(2);
    expect(limited).toEqual([]);
    await open[0]?.failed();
    await turns();
    expect(open).toHaveLength(2);
    await open[1]?.failed();
    await ended;
    expect(open).toHaveLength(2);
    expect(limited).toHaveLength(8);
  });

  it('are no more than may still fail, from one address for any account', async () => {
    const { open, limited, ended } = beginAll(20, () => '192.0.2.1', undefined);
    await turns();
    expect(open).toHaveLength(5);
    for (const attempt of open) await attempt.failed();
    await ended;
    expect(limited).toHaveLength(15);
  });

  it('wait for each other and are all let in where none fails', async () => {
    const { open, limited, ended } = beginAll(40, () => '192.0.2.1', 'anna');
    for (let next = 0; next < 40; next += 1) {
      await vi.waitFor(() => expect(open.length).toBeGreaterThan(next), { interval: 1 });
      expect(open.length - next).toBeLessThanOrEqual(3);
      const attempt = open[next];
      if (next % 3 === 0) attempt?.undecided();
      else expect(await attempt?.succeeded()).toBeUndefined();
    }
    await ended;
    expect(limited).toEqual([]);
  });

  it('that succeed make room for more, because the failures of the account are forgotten', async () => {
    await fail(2, '192.0.2.1', 'anna');
    const { open, ended } = beginAll(4, () => '192.0.2.2', 'anna');
    await turns();
    expect(open).toHaveLength(1);
    await open[0]?.succeeded();
    await turns();
    expect(open).toHaveLength(4);
    await ended;
  });

  it('leave the line when nobody waits for them any more', async () => {
    const first = await Promise.all([1, 2, 3].map(() => begin('192.0.2.1', 'anna')));
    const gone = new AbortController();
    const leaving = limits.begin('192.0.2.1', 'anna', gone.signal);
    const staying = limits.begin('192.0.2.1', 'anna', signal);
    await turns();
    gone.abort(new Error('gone'));
    await expect(leaving).rejects.toThrow('gone');
    first[0]?.undecided();
    expect(await staying).toMatchObject({ type: 'open' });
    // The address has its places back: two are under way, and the one that came in.
    const others = await Promise.all([1, 2].map((other) => begin('192.0.2.1', `other-${other}`)));
    expect(others).toHaveLength(2);
  });

  it('do not wait behind more than a few hundred', async () => {
    for (let attempt = 0; attempt < 3; attempt += 1) await begin('192.0.2.1', 'anna');
    const leave = new AbortController();
    setMaxListeners(0, leave.signal);
    const waiting = Array.from({ length: 256 }, (_, index) =>
      limits.begin(`198.51.100.${index}`, 'anna', leave.signal).catch((error: unknown) => error),
    );
    await turns();
    await expect(limits.begin('203.0.113.1', 'anna', signal)).rejects.toThrow('too many logins wait already');
    leave.abort(new Error('gone'));
    expect(await Promise.all(waiting)).toHaveLength(256);
  });

  it('hear nothing when another process has counted up to the limit meanwhile', async () => {
    const right = await begin('198.51.100.7', 'anna');
    const others = createLoginLimits(OPTIONS, { state, clock });
    for (let time = 0; time < 3; time += 1) {
      const attempt = await others.begin('192.0.2.1', 'anna', signal);
      if (attempt.type === 'open') await attempt.failed();
    }
    expect(await right.succeeded()).toMatchObject(LIMITED);
  });

  it('are never more than the limit lets through, whatever comes in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ account: fc.constantFrom('a', 'b'), steps: fc.nat(4), right: fc.boolean() }), {
          minLength: 1,
          maxLength: 30,
        }),
        async (logins) => {
          const counts = createLoginLimits(OPTIONS, { state: createMemoryState(), clock });
          const wrong = new Map<string, number>();
          const outcomes = await Promise.all(
            logins.map(async ({ account, steps, right }) => {
              const attempt = await counts.begin('192.0.2.1', account, signal);
              if (attempt.type === 'limited') return;
              for (let step = 0; step < steps; step += 1) await Promise.resolve();
              // A right login forgets the failures of its account, which begins anew.
              if (right) wrong.delete(account);
              else wrong.set(account, (wrong.get(account) ?? 0) + 1);
              expect(wrong.get(account) ?? 0).toBeLessThanOrEqual(3);
              await (right ? attempt.succeeded() : attempt.failed());
            }),
          );
          expect(outcomes).toHaveLength(logins.length);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('the authenticator', () => {
  let asked: number;
  const verifier: Verifier = {
    name: 'local',
    verify: async ({ username, password }) => {
      asked += 1;
      return password.reveal() === 'right'
        ? { type: 'identity', identity: { verifier: 'local', name: username, groups: [], claims: {} } }
        : { type: 'refused', reason: 'wrong' };
    },
    close: async () => {},
  };

  function logIn(username: string, password: string, address = '192.0.2.1', asks = verifier) {
    const authenticator = createAuthenticator({ anonymous: false }, [asks], {
      log: createLogger('silent'),
      metrics: createMetrics(),
      limits,
    });
    const { signal } = new AbortController();
    return authenticator.authenticate({ username, password: new Secret(password) }, { address, signal });
  }

  it('asks nobody once there were too many failures, and says the same of known and unknown names', async () => {
    asked = 0;
    for (let time = 0; time < 3; time += 1) await logIn('anna', 'wrong');
    expect(await logIn('anna', 'right', '198.51.100.1')).toMatchObject(LIMITED);
    expect(asked).toBe(3);
  });

  it('asks about no more guesses at once than may fail', async () => {
    const waiting: (() => void)[] = [];
    const slow: Verifier = {
      ...verifier,
      verify: async (...login) => {
        await new Promise<void>((resolve) => waiting.push(resolve));
        return verifier.verify(...login);
      },
    };
    asked = 0;
    const guesses = Array.from({ length: 50 }, (_, index) =>
      logIn('anna', index === 40 ? 'right' : 'wrong', `198.51.100.${index}`, slow),
    );
    await vi.waitFor(() => expect(waiting).toHaveLength(3));
    for (const answer of waiting) answer();
    const outcomes = await Promise.all(guesses);
    expect(asked).toBe(3);
    expect(outcomes.filter(({ type }) => type === 'refused')).toHaveLength(3);
    expect(outcomes.filter(({ type }) => type === 'limited')).toHaveLength(47);
  });

  it('lets somebody with the right password in as often as they like at once', async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => logIn('anna', 'right')));
    expect(new Set(outcomes.map(({ type }) => type))).toEqual(new Set(['identity']));
  });

  it('counts no account where many machines share the user name of a verifier of tokens', async () => {
    const shared = { ...verifier, username: 'oauth2', issued: () => true };
    const tokens = createAuthenticator({ anonymous: false }, [shared], {
      log: createLogger('silent'),
      metrics: createMetrics(),
      limits,
    });
    const { signal } = new AbortController();
    const show = (password: string, address: string) =>
      tokens.authenticate({ username: 'oauth2', password: new Secret(password) }, { address, signal });
    for (let time = 0; time < 4; time += 1) await show('wrong', '192.0.2.1');
    expect(await show('right', '198.51.100.1')).toMatchObject({ type: 'identity' });
  });

  it('can not tell when failures can not be counted', async () => {
    await state.close();
    expect(await logIn('anna', 'right')).toMatchObject({ type: 'cannot-tell' });
    state = createStateStore({ type: 'embedded', directory: folderReference() }, { clock });
  });

  function folderReference(): FolderReference {
    const directory = new FolderReference('state');
    directory.resolve(folder);
    return directory;
  }
});
