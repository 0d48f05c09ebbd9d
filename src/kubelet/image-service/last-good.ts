import { type Clock, unlessAborted } from '../../core/index.ts';
import { STATUS, type StatusCode } from './errors.ts';
import { type Answer, statusOfError } from './grpc/index.ts';

export interface LastGoodOptions {
  /** How old an answer may be that is given in place of a new one; 0 gives none. */
  readonly ageLimitMs: number;
  /** How long a new answer is waited for when there is an old one. */
  readonly patienceMs: number;
}

export interface LastGoodDependencies {
  readonly clock: Clock;
  /** Told of each old answer that is given. */
  readonly onStale: (method: string, ageMs: number, reason: 'away' | 'slow') => void;
}

/** What a client wants to know of the runtime. */
export interface Question {
  /** Its name. Each method has a share of its own of what is kept. */
  readonly method: string;
  /** Tells it from all other questions. */
  readonly key: string;
  /** Of the client. */
  readonly signal: AbortSignal;
  /** @param timeoutMs how long the runtime has; as long as the client says, when missing */
  readonly ask: (signal: AbortSignal, timeoutMs?: number) => Promise<Answer>;
}

/** Keeps what was last answered, for when the runtime is away: without an answer here, kubelet stops evicting pods. */
export interface LastGoodAnswers {
  /** @throws what asking throws, where there is no old answer; the signal's reason when it is aborted */
  answer(question: Question): Promise<Answer>;
}

/** Of a method. Kubelet asks few different questions: the list without a filter, and the file systems. */
const MOST_ANSWERS = 4;
/** Of a question and its answer. */
const LIMIT_BYTES = 4 * 1024 * 1024;
/** Kubelet waits for 2 minutes. */
const ASK_LIMIT_MS = 110_000;

interface Kept {
  readonly answer: Answer;
  readonly askedAt: number;
}

/** A question to the runtime that does not end with the client. */
interface Asked {
  readonly answer: Promise<Answer>;
  isRunning: boolean;
}

/** @param options asked each time, so that they may change */
export function createLastGoodAnswers(
  options: () => LastGoodOptions,
  { clock, onStale }: LastGoodDependencies,
): LastGoodAnswers {
  const keptByMethod = new Map<string, Map<string, Kept>>();
  /** Those that nobody waits for. Whoever comes joins them: a slow runtime is not asked again and again. */
  const late = new Map<string, Asked>();

  function findOld({ method, key }: Question): Kept | undefined {
    const found = keptByMethod.get(method)?.get(key);
    return found && clock.now() - found.askedAt <= options().ageLimitMs ? found : undefined;
  }

  function giveOld(question: Question, reason: 'away' | 'slow'): Answer | undefined {
    const found = findOld(question);
    if (!found) return undefined;
    onStale(question.method, clock.now() - found.askedAt, reason);
    return found.answer;
  }

  function keep({ method, key }: Question, answer: Answer, askedAt: number): void {
    const kept = keptByMethod.get(method) ?? new Map<string, Kept>();
    keptByMethod.set(method, kept);
    const newest = kept.get(key)?.askedAt ?? askedAt;
    if (newest > askedAt) return;
    kept.delete(key);
    if (key.length + answer.body.length > LIMIT_BYTES) return;
    kept.set(key, { answer, askedAt });
    const [oldest] = kept.keys();
    if (kept.size > MOST_ANSWERS && oldest !== undefined) kept.delete(oldest);
  }

  async function askAndKeep(question: Question, signal: AbortSignal, timeoutMs?: number): Promise<Answer> {
    const askedAt = clock.now();
    const answer = await question.ask(signal, timeoutMs);
    if (answer.code === STATUS.OK) keep(question, answer, askedAt);
    return answer;
  }

  function askApart(question: Question): Asked {
    const limit = new AbortController();
    const settled = new AbortController();
    const answer = askAndKeep(question, limit.signal, ASK_LIMIT_MS).finally(() => {
      asked.isRunning = false;
      if (late.get(question.key) === asked) late.delete(question.key);
      settled.abort();
    });
    const asked: Asked = { answer, isRunning: true };
    answer.catch(() => undefined);
    clock.sleep(ASK_LIMIT_MS, settled.signal).then(
      () => limit.abort(new DOMException('context deadline exceeded', 'TimeoutError')),
      () => undefined,
    );
    return asked;
  }

  async function askOrGiveOld(question: Question): Promise<Answer> {
    const asked = late.get(question.key) ?? askApart(question);
    const waiting = new AbortController();
    const patience = clock.sleep(options().patienceMs, waiting.signal).then(
      () => giveOld(question, 'slow'),
      () => undefined,
    );
    try {
      const first = await unlessAborted(Promise.race([asked.answer, patience]), question.signal);
      return first ?? (await unlessAborted(asked.answer, question.signal));
    } finally {
      waiting.abort();
      if (asked.isRunning) late.set(question.key, asked);
    }
  }

  return {
    async answer(question) {
      if (!findOld(question)) return askAndKeep(question, question.signal);
      try {
        const answer = await askOrGiveOld(question);
        const reason = answer.isAway ? 'away' : reasonOf(answer.code);
        return (reason && giveOld(question, reason)) ?? answer;
      } catch (error) {
        const reason = question.signal.aborted ? undefined : reasonOf(statusOfError(error).code);
        const answer = reason && giveOld(question, reason);
        if (answer) return answer;
        throw error;
      }
    },
  };
}

/** Why an answer of this code is none; the time that has run out is the question's own, not the client's. */
function reasonOf(code: StatusCode): 'away' | 'slow' | undefined {
  if (code === STATUS.UNAVAILABLE) return 'away';
  return code === STATUS.DEADLINE_EXCEEDED ? 'slow' : undefined;
}
