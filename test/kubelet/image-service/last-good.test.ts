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

type Ask = (signal: AbortSignal, timeoutMs?: number) => Promise<Answer>;

function create() {
  const clock = createHeldClock();
  const stale: string[] = [];
  const limits = { ageLimitMs: AGE_LIMIT_MS, patienceMs: PATIENCE_MS };
  const answers = createLastGoodAnswers(() => limits, {
    clock,
    onStale: (method, ageMs, reason) => void stale.push(`${method} ${ageMs} ${reason}`),
  });
  const { signal: nobodyLeaves } = new AbortController();
  const ask = (how: Ask, { key = 'key', method = 'ListImages', signal = nobodyLeaves } = {}) =>
    answers.answer({ method, key, signal, ask: how });
  return { clock, stale, limits, ask };
}

/** A runtime that answers when it is told to, unless it is given up. */
function createSlowRuntime() {
  const asked: { answer: (answer: Answer) => void; signal: AbortSignal; timeoutMs: number | undefined }[] =
    [];
  const ask: Ask = (signal, timeoutMs) =>
    new Promise((answer, reject) => {
      asked.push({ answer, signal, timeoutMs });
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  return { asked, ask };
}

const soon = () => new Promise((resolve) => setImmediate(resolve));

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
    const runtime = createSlowRuntime();
    const first = ask(runtime.ask);
    expect(clock.sleeping()).toBe(0);
    runtime.asked[0]?.answer(GOOD);
    expect(await first).toBe(GOOD);
    const second = ask(runtime.ask);
    clock.advance(PATIENCE_MS);
    expect(await second).toBe(GOOD);
    expect(stale).toEqual([`ListImages ${PATIENCE_MS} slow`]);
    expect(runtime.asked[1]?.signal.aborted).toBe(false);
    // What comes late is kept all the same.
    const newer = messageAnswer(Buffer.from('newer'));
    runtime.asked[1]?.answer(newer);
    await soon();
    expect(await ask(away)).toBe(newer);
    expect(clock.sleeping()).toBe(0);
  });

  it('is renewed by a slow runtime, which is not asked again while it works', async () => {
    const { clock, ask } = create();
    const runtime = createSlowRuntime();
    await ask(async () => GOOD);
    for (let round = 0; round < 3; round += 1) {
      const call = ask(runtime.ask);
      clock.advance(PATIENCE_MS);
      expect(await call).toBe(GOOD);
    }
    expect(runtime.asked).toHaveLength(1);
    const joined = ask(runtime.ask);
    const newer = messageAnswer(Buffer.from('newer'));
    runtime.asked[0]?.answer(newer);
    expect(await joined).toBe(newer);
    ask(runtime.ask).catch(() => undefined);
    expect(runtime.asked).toHaveLength(2);
  });

  it('is renewed although the client leaves; without an old one, the runtime is told that it has left', async () => {
    const { ask } = create();
    const runtime = createSlowRuntime();
    const [first, second] = [new AbortController(), new AbortController()];
    const alone = ask(runtime.ask, { signal: first.signal });
    first.abort(new Error('gone'));
    await expect(alone).rejects.toThrow('gone');
    expect(runtime.asked[0]?.signal.aborted).toBe(true);
    await ask(async () => GOOD);
    const left = ask(runtime.ask, { signal: second.signal });
    second.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    const newer = messageAnswer(Buffer.from('newer'));
    runtime.asked[1]?.answer(newer);
    await soon();
    expect(await ask(away)).toBe(newer);
  });

  it('is not waited for without end: the runtime has 110 s, whatever the client has', async () => {
    const { clock, stale, limits, ask } = create();
    const runtime = createSlowRuntime();
    await ask(async () => GOOD);
    limits.patienceMs = AGE_LIMIT_MS;
    const call = ask(runtime.ask);
    expect(runtime.asked[0]?.timeoutMs).toBe(110_000);
    clock.advance(110_000);
    expect(await call).toBe(GOOD);
    expect(runtime.asked[0]?.signal.aborted).toBe(true);
    expect(await ask(async () => errorAnswer(STATUS.DEADLINE_EXCEEDED, 'too late'))).toBe(GOOD);
    expect(stale).toEqual(['ListImages 110000 slow', 'ListImages 110000 slow']);
  });

  it('is there also for one who joins a question whose time runs out', async () => {
    const { clock, ask } = create();
    const runtime = createSlowRuntime();
    await ask(async () => GOOD);
    const first = ask(runtime.ask);
    clock.advance(PATIENCE_MS);
    expect(await first).toBe(GOOD);
    clock.advance(75_000);
    const joined = ask(runtime.ask);
    expect(runtime.asked).toHaveLength(1);
    clock.advance(15_000);
    expect(await joined).toBe(GOOD);
    ask(runtime.ask).catch(() => undefined);
    expect(runtime.asked).toHaveLength(2);
  });

  it('does not give way to one that was asked for earlier and came later', async () => {
    const { clock, ask } = create();
    const runtime = createSlowRuntime();
    await ask(async () => messageAnswer(Buffer.from('first')));
    const early = ask(runtime.ask);
    clock.advance(1);
    expect(await ask(async () => GOOD)).toBe(GOOD);
    runtime.asked[0]?.answer(messageAnswer(Buffer.from('of before')));
    await early;
    expect(await ask(away)).toBe(GOOD);
  });

  it('is kept of a few questions only, for each method', async () => {
    const { ask } = create();
    await ask(async () => GOOD, { method: 'ImageFsInfo' });
    for (let index = 0; index < 9; index += 1) await ask(async () => GOOD, { key: `filter ${index}` });
    expect(await ask(away, { key: 'filter 8' })).toBe(GOOD);
    await expect(ask(away, { key: 'filter 0' })).rejects.toThrow(/does not answer/);
    expect(await ask(away, { method: 'ImageFsInfo' })).toBe(GOOD);
  });

  it('is given by the limits of now', async () => {
    const { clock, limits, ask } = create();
    await ask(async () => GOOD);
    clock.advance(1000);
    limits.ageLimitMs = 999;
    await expect(ask(away)).rejects.toThrow(/does not answer/);
    limits.ageLimitMs = 1000;
    expect(await ask(away)).toBe(GOOD);
  });

  it('is not kept when it is very large', async () => {
    const { ask } = create();
    await ask(async () => messageAnswer(Buffer.alloc(5 * 1024 * 1024)));
    await expect(ask(away)).rejects.toThrow(/does not answer/);
  });
});
