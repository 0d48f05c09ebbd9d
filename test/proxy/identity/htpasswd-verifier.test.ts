import { hashSync, parseOptions, verifySync } from '@node-rs/bcrypt';
import { describe, expect, it } from 'vitest';
import { FileReference, Secret } from '../../../src/core/index.ts';
import {
  createHtpasswdVerifier,
  type HtpasswdDependencies,
  HtpasswdError,
  type Outcome,
} from '../../../src/proxy/identity/index.ts';
import { describeVerifier } from './verifier-suite.ts';

const HASHES = {
  alice: hashSync('correct horse', { cost: 5, version: '2y' }),
  bob: hashSync('battery staple', { cost: 5 }),
  carol: hashSync('x'.repeat(72), { cost: 4 }),
};
const FILE = Object.entries(HASHES)
  .map(([name, hash]) => `${name}:${hash}\n`)
  .join('');

function verifierOf(text: string, dependencies: Partial<HtpasswdDependencies> = {}) {
  const file = new FileReference('users.htpasswd');
  file.resolve('/etc/users.htpasswd', Buffer.from(text));
  let now = 1_000_000;
  const clock = { now: () => now, sleep: () => Promise.reject(new Error('no sleep')) };
  const checked: { password: string; hash: string }[] = [];
  const verifier = createHtpasswdVerifier(
    { type: 'htpasswd', name: 'local', file },
    {
      clock,
      verifyHash: async (password, hash) => {
        checked.push({ password, hash });
        return verifySync(password, hash);
      },
      ...dependencies,
    },
  );
  const { signal } = new AbortController();
  return {
    verifier,
    checked,
    advance: (ms: number) => {
      now += ms;
    },
    verify: (username: string, password: string) =>
      verifier.verify({ username, password: new Secret(password) }, signal),
    renew: (name: string, anchor: string | undefined) =>
      verifier.renew?.({ verifier: 'local', name, groups: [], claims: {} }, anchor, signal),
  };
}

describeVerifier('htpasswd', async () => {
  const file = new FileReference('users.htpasswd');
  file.resolve('/etc/users.htpasswd', Buffer.from(FILE));
  return {
    verifier: createHtpasswdVerifier(
      { type: 'htpasswd', name: 'local', file },
      { clock: { now: () => Date.now(), sleep: async () => undefined } },
    ),
    username: 'alice',
    password: 'correct horse',
    identityName: 'alice',
    unknownUsername: 'mallory',
  };
});

describe('an htpasswd verifier', () => {
  it('names the file and line that it refuses', () => {
    expect(() => verifierOf('alice:plain')).toThrow(HtpasswdError);
    expect(() => verifierOf('alice:plain')).toThrow(/^\/etc\/users\.htpasswd, line 1: /);
  });

  it.each([
    ['a wrong password', 'wrong'],
    ['a password that bcrypt would cut', 'x'.repeat(73)],
    ['a password with a NUL', 'correct horse\0'],
  ])('computes one hash of each cost in the file for everybody who shows %s', async (_, password) => {
    const { verify, checked } = verifierOf(FILE);
    for (const username of [...Object.keys(HASHES), 'mallory', 'alic', 'Alice']) {
      checked.splice(0);
      expect(await verify(username, password)).toMatchObject({ type: 'refused' });
      expect(checked.map(({ hash }) => parseOptions(hash).cost).sort(), username).toEqual([4, 5]);
      expect(new Set(checked.map((check) => Buffer.byteLength(check.password))).size).toBe(1);
    }
  });

  it('computes nothing of anybody else for a user it does not know', async () => {
    const { verify, checked } = verifierOf(FILE);
    expect(await verify('mallory', 'battery staple')).toMatchObject({ type: 'refused' });
    expect(checked.map((check) => check.password)).toEqual(['battery staple', 'battery staple']);
    for (const { hash } of checked) expect(Object.values(HASHES)).not.toContain(hash);
  });

  it('computes only the one hash of a user who shows the right password', async () => {
    const { verify, checked } = verifierOf(FILE);
    expect(await verify('bob', 'battery staple')).toMatchObject({ type: 'identity' });
    expect(checked.map(({ hash }) => hash)).toEqual([HASHES.bob]);
  });

  it('takes no more turns for one user than for another when they stand in line', async () => {
    for (const username of ['alice', 'carol', 'mallory']) {
      const limits = { concurrency: 1, queueLimit: 0, rememberMs: 1000 };
      const { verify, checked } = verifierOf(FILE, { limits });
      expect(await verify(username, 'wrong')).toMatchObject({ type: 'refused' });
      expect(checked, username).toHaveLength(2);
    }
  });

  it('hashes against a dummy that the library takes for a hash', async () => {
    const { verify, checked } = verifierOf('');
    await verify('mallory', 'x');
    expect(parseOptions(checked[0]?.hash ?? '')).toMatchObject({ cost: 10 });
  });

  it.each([
    ['73 bytes', 'x'.repeat(73)],
    ['73 bytes in fewer characters', `${'x'.repeat(71)}é`],
    ['a NUL at the end', `${'x'.repeat(71)}\0`],
  ])('refuses a password of %s, though bcrypt would take it', async (_, password) => {
    const { verify, checked } = verifierOf(FILE);
    expect(await verify('carol', password)).toMatchObject({ type: 'refused' });
    expect(checked.map(({ hash }) => hash)).not.toContain(HASHES.carol);
  });

  it('takes a password of 72 bytes', async () => {
    const { verify } = verifierOf(FILE);
    expect(await verify('carol', 'x'.repeat(72))).toMatchObject({ type: 'identity' });
  });

  it('remembers a right password for a minute, and only that one', async () => {
    const { verify, checked, advance } = verifierOf(FILE);
    await verify('alice', 'correct horse');
    expect(await verify('alice', 'correct horse')).toMatchObject({ type: 'identity' });
    expect(checked).toHaveLength(1);
    expect(await verify('alice', 'battery staple')).toMatchObject({ type: 'refused' });
    expect(await verify('bob', 'correct horse')).toMatchObject({ type: 'refused' });
    expect(checked).toHaveLength(5);
    advance(60_000);
    expect(await verify('alice', 'correct horse')).toMatchObject({ type: 'identity' });
    expect(checked).toHaveLength(6);
  });

  it('does not remember a wrong password', async () => {
    const { verify, checked } = verifierOf(FILE);
    await verify('alice', 'wrong');
    await verify('alice', 'wrong');
    expect(checked.filter(({ hash }) => hash === HASHES.alice)).toHaveLength(2);
  });

  it('hashes a few at a time, equal ones once, and turns away a flood', async () => {
    const releases: (() => void)[] = [];
    let running = 0;
    let most = 0;
    const { verify } = verifierOf(FILE, {
      limits: { concurrency: 2, queueLimit: 3, rememberMs: 1000 },
      verifyHash: async (password, hash) => {
        running += 1;
        most = Math.max(most, running);
        await new Promise<void>((resolve) => releases.push(resolve));
        running -= 1;
        return verifySync(password, hash);
      },
    });
    const finish = async (outcomes: Promise<Outcome>[]): Promise<string[]> => {
      let settled = false;
      const all = Promise.all(outcomes).finally(() => {
        settled = true;
      });
      while (!settled) {
        releases.shift()?.();
        await new Promise((resolve) => setImmediate(resolve));
      }
      return (await all).map(({ type }) => type);
    };
    const equal = [verify('alice', 'correct horse'), verify('alice', 'correct horse')];
    const others = [1, 2, 3, 4].map((n) => verify('bob', `wrong ${n}`));
    const turnedAway = [verify('alice', 'another'), verify('mallory', 'x')];
    for (const outcome of await Promise.all(turnedAway)) {
      expect(outcome).toMatchObject({ type: 'cannot-tell', reason: 'too many logins wait already' });
    }
    expect(await finish([...equal, ...others])).toEqual([
      'identity',
      'identity',
      'refused',
      'refused',
      'refused',
      'refused',
    ]);
    const later = [verify('alice', 'another'), ...[1, 2, 3].map((n) => verify('bob', `again ${n}`))];
    expect(await finish(later)).toEqual(['refused', 'refused', 'refused', 'refused']);
    expect(most).toBe(2);
  });

  it('leaves the event loop to others while it hashes for many', async () => {
    const file = new FileReference('users.htpasswd');
    file.resolve('/etc/users.htpasswd', Buffer.from(`dora:${hashSync('correct horse', { cost: 8 })}`));
    // bcrypt itself, as the proxy has it.
    const verifier = createHtpasswdVerifier(
      { type: 'htpasswd', name: 'local', file },
      { clock: { now: () => Date.now(), sleep: async () => undefined } },
    );
    let turns = 0;
    let running = true;
    const turn = (): void => {
      turns += 1;
      if (running) setImmediate(turn);
    };
    setImmediate(turn);
    const login = (attempt: number) =>
      verifier.verify(
        { username: 'dora', password: new Secret(`wrong ${attempt}`) },
        new AbortController().signal,
      );
    const outcomes = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(login));
    running = false;
    await verifier.close();
    expect(outcomes.map(({ type }) => type)).toEqual(Array(8).fill('refused'));
    // Hashing on the event loop leaves one turn a hash at most.
    expect(turns).toBeGreaterThan(100);
  });

  it('cannot tell when hashing fails', async () => {
    const { verify } = verifierOf(FILE, { verifyHash: () => Promise.reject(new Error('no threads')) });
    expect(await verify('alice', 'x')).toMatchObject({ type: 'cannot-tell', reason: 'no threads' });
  });

  it('renews until the password changes or the user goes, also from another instance', async () => {
    const login = await verifierOf(FILE).verify('alice', 'correct horse');
    const anchor = login.type === 'identity' ? login.anchor : undefined;
    expect(anchor).toBeDefined();
    expect(await verifierOf(FILE).renew('alice', anchor)).toMatchObject({ type: 'identity', anchor });
    expect(await verifierOf(FILE).renew('bob', anchor)).toMatchObject({ type: 'refused' });
    const changed = `alice:${hashSync('correct horse', { cost: 4 })}`;
    expect(await verifierOf(changed).renew('alice', anchor)).toMatchObject({ type: 'refused' });
    expect(await verifierOf('').renew('alice', anchor)).toMatchObject({ type: 'refused' });
    expect(HASHES.alice).not.toContain(anchor);
  });
});
