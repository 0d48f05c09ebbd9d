import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Clock, FolderReference, Secret } from '../../../src/core/index.ts';
import {
  createAuthenticator,
  createLoginLimits,
  type LoginLimits,
  type Verifier,
} from '../../../src/proxy/identity/index.ts';
import { createStateStore, type StateStore } from '../../../src/state/index.ts';
import { createLogger, createMetrics } from '../../../src/telemetry/index.ts';

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

async function fail(times: number, address: string, account: string | undefined): Promise<void> {
  for (let time = 0; time < times; time += 1) await limits.failed(address, account);
}

describe('failed logins', () => {
  it('close an account, from everywhere, until the window ends', async () => {
    await fail(2, '192.0.2.1', 'anna');
    expect(await limits.check('192.0.2.1', 'anna')).toEqual({ type: 'open' });
    await fail(1, '198.51.100.7', 'anna');
    expect(await limits.check('203.0.113.9', 'anna')).toMatchObject(LIMITED);
    expect(await limits.check('192.0.2.1', 'ben')).toEqual({ type: 'open' });
    now += 60_000;
    expect(await limits.check('192.0.2.1', 'anna')).toEqual({ type: 'open' });
  });

  it('close an address for every account', async () => {
    for (const account of ['a', 'b', 'c', 'd', undefined]) await fail(1, '192.0.2.1', account);
    expect(await limits.check('192.0.2.1', 'new')).toMatchObject(LIMITED);
    expect(await limits.check('192.0.2.1', undefined)).toMatchObject(LIMITED);
    expect(await limits.check('192.0.2.2', 'new')).toEqual({ type: 'open' });
  });

  it('count a whole network of IPv6 as one address, and a mapped address as itself', async () => {
    for (let host = 1; host <= 5; host += 1) await fail(1, `2001:db8:1:2::${host}`, undefined);
    expect(await limits.check('2001:db8:1:2:ffff::1', 'x')).toMatchObject(LIMITED);
    expect(await limits.check('2001:db8:1:3::1', 'x')).toEqual({ type: 'open' });
    await fail(5, '::ffff:192.0.2.1', undefined);
    expect(await limits.check('192.0.2.1', 'x')).toMatchObject(LIMITED);
  });

  it('are forgotten for an account that gets in, and not for the address', async () => {
    await fail(2, '192.0.2.1', 'anna');
    await limits.succeeded('anna');
    await fail(2, '192.0.2.1', 'anna');
    expect(await limits.check('192.0.2.9', 'anna')).toEqual({ type: 'open' });
    await fail(1, '192.0.2.1', undefined);
    expect(await limits.check('192.0.2.1', 'anna')).toMatchObject(LIMITED);
  });

  it('are still known after a restart', async () => {
    await fail(3, '192.0.2.1', 'anna');
    const again = createLoginLimits(OPTIONS, { state, clock });
    expect(await again.check('192.0.2.9', 'anna')).toMatchObject(LIMITED);
  });

  it('of many at once are all counted', async () => {
    await Promise.all(Array.from({ length: 5 }, () => limits.failed('192.0.2.1', 'anna')));
    expect(await limits.check('192.0.2.1', undefined)).toMatchObject(LIMITED);
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

  it('lets no guess through that comes with many others at once', async () => {
    const waiting: (() => void)[] = [];
    const slow: Verifier = {
      ...verifier,
      verify: async (...login) => {
        await new Promise<void>((resolve) => waiting.push(resolve));
        return verifier.verify(...login);
      },
    };
    const guesses = Array.from({ length: 50 }, (_, index) =>
      logIn('anna', index === 40 ? 'right' : 'wrong', undefined, slow),
    );
    await vi.waitFor(() => expect(waiting).toHaveLength(50));
    const outcomes = [];
    for (const [index, answer] of waiting.entries()) {
      answer();
      outcomes.push(await guesses[index]);
    }
    expect(outcomes.filter((outcome) => outcome?.type === 'refused')).toHaveLength(3);
    expect(outcomes[40]).toMatchObject({ type: 'limited' });
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
