import { describe, expect, it } from 'vitest';
import { BackendAwayError } from '../../../src/kubelet/image-service/away.ts';
import { STATUS } from '../../../src/kubelet/image-service/errors.ts';
import { type Answer, errorAnswer, messageAnswer } from '../../../src/kubelet/image-service/grpc/index.ts';
import { createLastGoodAnswers } from '../../../src/kubelet/image-service/last-good.ts';
import { createHeldClock } from './held-clock.ts';

const AGE_LIMIT_MS = 600_000;
const PATIENCE_MS = 20_000;
const GOOD = messageAnswer(Buffer.from('good'));
const away = () => Promise.reject(new BackendAwayError('/run/x.sock'));

function create() {
  const clock = createHeldClock();
  const stale: string[] = [];
  const answers = createLastGoodAnswers(
    { ageLimitMs: AGE_LIMIT_MS, patienceMs: PATIENCE_MS },
    { clock, onStale: (method, ageMs, reason) => void stale.push(`${method} ${ageMs} ${reason}`) },
  );
  const ask = (how: () => Promise<Answer>, key = 'key') => answers.answer('ListImages', key, how);
  return { clock, stale, ask };
}

describe('the last good answer', () => {
  it('is given while the runtime is away, and only as long as it is not too old', async () => {
    const { clock, stale, ask } = create();
    await ask(async () => GOOD);
    clock.advance(AGE_LIMIT_MS);
    expect(await ask(away)).toBe(GOOD);
    expect(stale).toEqual([`ListImages ${AGE_LIMIT_MS} away`]);
    clock.advance(1);
    await expect(ask(away)).rejects.toThrow(/does not answer/);
  });

  it('is given when the runtime says that it is not there yet', async () => {
    const { ask } = create();
    await ask(async () => GOOD);
    expect(await ask(async () => errorAnswer(STATUS.UNAVAILABLE, 'starting'))).toBe(GOOD);
  });

  it('is not given in place of an error that the runtime means', async () => {
    const { stale, ask } = create();
    await ask(async () => GOOD);
    const error = errorAnswer(STATUS.INTERNAL, 'disk is broken');
    expect(await ask(async () => error)).toBe(error);
    await expect(ask(() => Promise.reject(new Error('a fault of ours')))).rejects.toThrow('a fault of ours');
    expect(stale).toEqual([]);
  });

  it('is given when the runtime takes too long; without one, the runtime is waited for', async () => {
    const { clock, stale, ask } = create();
    let late = (_answer: Answer): void => undefined;
    const slow = () =>
      new Promise<Answer>((resolve) => {
        late = resolve;
      });
    const first = ask(slow);
    expect(clock.sleeping()).toBe(0);
    late(GOOD);
    expect(await first).toBe(GOOD);
    const second = ask(slow);
    clock.advance(PATIENCE_MS);
    expect(await second).toBe(GOOD);
    expect(stale).toEqual([`ListImages ${PATIENCE_MS} slow`]);
    // What comes late is kept all the same.
    const newer = messageAnswer(Buffer.from('newer'));
    late(newer);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await ask(away)).toBe(newer);
  });

  it('is kept of a few questions only', async () => {
    const { ask } = create();
    for (let index = 0; index < 9; index += 1) await ask(async () => GOOD, `key ${index}`);
    expect(await ask(away, 'key 8')).toBe(GOOD);
    await expect(ask(away, 'key 0')).rejects.toThrow(/does not answer/);
  });

  it('is not kept when it is very large', async () => {
    const { ask } = create();
    await ask(async () => messageAnswer(Buffer.alloc(5 * 1024 * 1024)));
    await expect(ask(away)).rejects.toThrow(/does not answer/);
  });
});
