import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/core/index.ts';
import { createLdapVerifier } from '../../../../src/proxy/identity/index.ts';
import { createBindGuard } from '../../../../src/proxy/identity/ldap/bind-guard.ts';
import { createLogger } from '../../../../src/telemetry/index.ts';
import { useResources } from '../../../support/resources.ts';
import { parseOptions, searching, verify } from './directory.ts';
import { startBindServer } from './fake-servers.ts';

const keep = useResources();
const { signal } = new AbortController();
const WRONG = 'wrong password, or no such entry';

function createSite() {
  let now = 1_000_000;
  const lines: string[] = [];
  const log = createLogger('info', { write: (line) => lines.push(line) });
  const clock = { ...systemClock, now: () => now };
  return {
    log,
    clock,
    lines,
    advance: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

describe('the guard of bindDn', () => {
  function setUp() {
    const site = createSite();
    const guard = createBindGuard('cn=proxy', { ...site, verifier: 'staff' });
    let binds = 0;
    const bind = (answer: string | undefined | Error) => () => {
      binds += 1;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    };
    return { ...site, guard, bind, binds: () => binds };
  }

  it('makes one attempt of many at once while the password is not proven', async () => {
    const { guard, bind, binds, lines } = setUp();
    const attempts = Array.from({ length: 20 }, () => guard.attempt(bind(WRONG), signal));
    for (const outcome of await Promise.allSettled(attempts)) expect(outcome.status).toBe('rejected');
    expect(binds()).toBe(1);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ verifier: 'staff', bindDn: 'cn=proxy', reason: WRONG, pauseSeconds: 30 }),
    ]);
  });

  it('pauses for longer each time, up to five minutes', async () => {
    const { guard, bind, binds, advance } = setUp();
    const pauses = [30, 60, 120, 240, 300, 300];
    for (const [index, seconds] of pauses.entries()) {
      await expect(guard.attempt(bind(WRONG), signal)).rejects.toThrow(`refused bindDn: ${WRONG}`);
      expect(binds()).toBe(index + 1);
      advance(seconds * 1000 - 1);
      await expect(guard.attempt(bind(undefined), signal)).rejects.toThrow('the next attempt is made in 1 s');
      expect(binds()).toBe(index + 1);
      advance(1);
    }
  });

  it('begins anew once the directory takes it, and lets many bind at once', async () => {
    const { guard, bind, binds, advance, lines } = setUp();
    await expect(guard.attempt(bind(WRONG), signal)).rejects.toThrow();
    advance(30_000);
    await guard.attempt(bind(undefined), signal);
    expect(lines.join('')).toContain('the directory takes bindDn again');
    await Promise.all(Array.from({ length: 5 }, () => guard.attempt(bind(undefined), signal)));
    expect(binds()).toBe(7);
    await expect(guard.attempt(bind(WRONG), signal)).rejects.toThrow();
    advance(30_000);
    await guard.attempt(bind(undefined), signal);
  });

  it('takes an error of the network for no word on the password', async () => {
    const { guard, bind, binds } = setUp();
    for (let time = 0; time < 3; time += 1) {
      await expect(guard.attempt(bind(new Error('reset')), signal)).rejects.toThrow('reset');
    }
    await guard.attempt(bind(undefined), signal);
    expect(binds()).toBe(4);
  });
});

it('a directory that refuses bindDn sees one attempt for many logins', async () => {
  const server = keep(await startBindServer(49));
  const { clock, log, lines, advance } = createSite();
  const verifier = createLdapVerifier(parseOptions(searching([server.port])), { clock, log });
  const logins = await Promise.all(
    Array.from({ length: 10 }, (_, index) => verify(verifier, `user${index}`)),
  );
  expect(new Set(logins.map(({ type }) => type))).toEqual(new Set(['cannot-tell']));
  expect(server.binds).toBe(1);
  advance(30_000);
  await verify(verifier, 'anna');
  await verify(verifier, 'anna');
  expect(server.binds).toBe(2);
  await verifier.close();
  expect(lines.filter((line) => line.includes('refuses bindDn'))).toHaveLength(2);
  expect(lines.join('')).not.toContain('canary');
});
