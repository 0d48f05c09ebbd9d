import { describe, expect, it } from 'vitest';
import {
  CredentialGuard,
  type Outcome,
} from '../../../../../src/proxy/upstream/remote/authorization/credential-guard.ts';
import { createLogger } from '../../../../../src/telemetry/index.ts';
import { credentialOf } from '../../support/connect.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

function createGuard() {
  const clock = createFakeClock();
  const lines: string[] = [];
  const log = createLogger('info', { write: (line: string) => void lines.push(line) });
  const guard = new CredentialGuard(clock, log);
  let attempts = 0;
  const attempt = (resource: string, outcome: Outcome, password = 'secret-canary') =>
    guard.attempt(credentialOf('acme', password), resource, async () => {
      attempts += 1;
      return { result: outcome, outcome };
    });
  return { clock, lines, attempt, attempts: () => attempts };
}

describe('a credential that is refused', () => {
  it('is tried once by however many want it', async () => {
    const { attempt, attempts, lines } = createGuard();
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, (_, index) => attempt(`r${index}`, 'refused')),
    );
    expect(attempts()).toBe(1);
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(49);
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'warn', pauseSeconds: 30 });
    expect(lines[0]).not.toContain('canary');
  });

  it('is tried again after a pause, which grows up to five minutes', async () => {
    const { attempt, attempts, clock } = createGuard();
    await attempt('r', 'refused');
    for (const [index, seconds] of [30, 60, 120, 240, 300, 300].entries()) {
      clock.advance(seconds * 1000 - 1);
      await expect(attempt('r', 'refused')).rejects.toMatchObject({ kind: 'refused' });
      clock.advance(1);
      await attempt('r', 'refused');
      expect(attempts()).toBe(index + 2);
    }
  });

  it('leaves another credential alone', async () => {
    const { attempt } = createGuard();
    await attempt('r', 'refused');
    expect(await attempt('r', 'accepted', 'new')).toBe('accepted');
  });
});

describe('a credential that was accepted', () => {
  it('is used by many at once', async () => {
    const guard = new CredentialGuard(createFakeClock(), createLogger('silent'));
    const credential = credentialOf('acme', 'password');
    const accepted = { result: undefined, outcome: 'accepted' as const };
    await guard.attempt(credential, 'r', async () => accepted);
    let resolve = () => {};
    const bothRun = new Promise<void>((done) => {
      resolve = done;
    });
    let running = 0;
    const wait = async () => {
      running += 1;
      if (running === 2) resolve();
      await bothRun;
      return accepted;
    };
    await Promise.all([guard.attempt(credential, 'a', wait), guard.attempt(credential, 'b', wait)]);
    expect(running).toBe(2);
  });

  it('is not paused for all because single resources are forbidden', async () => {
    const { attempt, attempts } = createGuard();
    await attempt('good', 'accepted');
    for (let index = 0; index < 10; index += 1) await attempt(`bad${index}`, 'forbidden');
    expect(await attempt('good', 'accepted')).toBe('accepted');
    const before = attempts();
    await expect(attempt('bad0', 'forbidden')).rejects.toMatchObject({ kind: 'refused' });
    expect(attempts()).toBe(before);
  });

  it('is paused after the second resource in a row that does not know it', async () => {
    const { attempt } = createGuard();
    await attempt('good', 'accepted');
    await attempt('a', 'unauthorized');
    await attempt('b', 'unauthorized');
    await expect(attempt('good', 'accepted')).rejects.toMatchObject({ kind: 'refused' });
  });
});

it('counts refusals of requests that were already under way as one', async () => {
  const { attempt, lines, clock } = createGuard();
  await attempt('r', 'accepted');
  await Promise.all(Array.from({ length: 10 }, (_, index) => attempt(`r${index}`, 'refused')));
  expect(lines).toHaveLength(1);
  clock.advance(30_000);
  expect(await attempt('r', 'accepted')).toBe('accepted');
});

describe('a credential of which nothing is known', () => {
  it.each<[Outcome, number]>([
    ['refused', 1],
    ['unauthorized', 1],
    ['forbidden', 3],
  ])('is paused after %s, %i times', async (outcome, times) => {
    const { attempt, attempts } = createGuard();
    for (let index = 0; index < times; index += 1) await attempt(`r${index}`, outcome);
    await expect(attempt('other', 'accepted')).rejects.toMatchObject({ kind: 'refused' });
    expect(attempts()).toBe(times);
  });

  it('stays so when there was no answer', async () => {
    const { attempt, attempts } = createGuard();
    for (let index = 0; index < 5; index += 1) await attempt('r', 'undecided');
    expect(attempts()).toBe(5);
  });
});

describe('two credentials in turn', () => {
  it('keep their pauses to themselves', async () => {
    const { attempt, attempts } = createGuard();
    await attempt('r', 'refused', 'old');
    await attempt('r', 'accepted', 'new');
    await expect(attempt('r', 'refused', 'old')).rejects.toMatchObject({ kind: 'refused' });
    expect(await attempt('r', 'accepted', 'new')).toBe('accepted');
    expect(attempts()).toBe(3);
  });
});
