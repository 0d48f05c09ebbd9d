import type { Clock } from '../../core/index.ts';
import { BackendAwayError } from './away.ts';
import { STATUS } from './errors.ts';
import type { Answer } from './grpc/index.ts';

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

/** Keeps what was last answered, for when the runtime is away: without an answer here, kubelet stops evicting pods. */
export interface LastGoodAnswers {
  /**
   * @param method its name
   * @param key which question it is
   * @param ask asks the runtime; what it throws is thrown on where there is no old answer
   */
  answer(method: string, key: string, ask: () => Promise<Answer>): Promise<Answer>;
}

/** Kubelet asks few different questions: the list without a filter, and the file systems. */
const MOST_ANSWERS = 8;
const ANSWER_LIMIT_BYTES = 4 * 1024 * 1024;

interface Kept {
  readonly answer: Answer;
  readonly at: number;
}

export function createLastGoodAnswers(
  { ageLimitMs, patienceMs }: LastGoodOptions,
  { clock, onStale }: LastGoodDependencies,
): LastGoodAnswers {
  const kept = new Map<string, Kept>();

  function old(key: string): Kept | undefined {
    const found = kept.get(key);
    return found && clock.now() - found.at <= ageLimitMs ? found : undefined;
  }

  function keep(key: string, answer: Answer): void {
    kept.delete(key);
    if (answer.body.length > ANSWER_LIMIT_BYTES) return;
    kept.set(key, { answer, at: clock.now() });
    const [oldest] = kept.keys();
    if (kept.size > MOST_ANSWERS && oldest !== undefined) kept.delete(oldest);
  }

  function giveOld(method: string, key: string, reason: 'away' | 'slow'): Answer | undefined {
    const found = old(key);
    if (!found) return undefined;
    onStale(method, clock.now() - found.at, reason);
    return found.answer;
  }

  async function askAndKeep(method: string, key: string, ask: () => Promise<Answer>): Promise<Answer> {
    try {
      const answer = await ask();
      if (answer.code === STATUS.OK) keep(key, answer);
      return (answer.isAway && giveOld(method, key, 'away')) || answer;
    } catch (error) {
      const answer = error instanceof BackendAwayError && giveOld(method, key, 'away');
      if (answer) return answer;
      throw error;
    }
  }

  return {
    async answer(method, key, ask) {
      const asked = askAndKeep(method, key, ask);
      if (!old(key)) return asked;
      const answered = new AbortController();
      // Cut short by the answer; then nobody waits for its end.
      const patience = clock.sleep(patienceMs, answered.signal).catch(() => undefined);
      try {
        const first = await Promise.race([asked, patience]);
        if (first) return first;
      } finally {
        answered.abort();
      }
      asked.catch(() => undefined);
      return giveOld(method, key, 'slow') ?? asked;
    },
  };
}
