import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../core/index.ts';
import type { Identity } from './identity.ts';
import { withinTime } from './time-limit.ts';
import type { Outcome } from './verifier.ts';

/** What a service says of a credential, and until when it may be believed without asking again. */
export interface Answer {
  readonly outcome: Outcome;
  /** Milliseconds since the epoch. */
  readonly validUntil?: number | undefined;
}

/** Asks a service once for equal credentials that come at once or shortly after one that was good. */
export interface RecentAnswers {
  /**
   * @param parts everything that the answer depends on and that differs between calls
   * @param ask has to heed its signal, which ends by itself: it is not the one of whoever happens to ask first
   * @throws what `ask` throws
   */
  get(parts: readonly string[], ask: (signal: AbortSignal) => Promise<Answer>): Promise<Outcome>;
  /** Gives up what is under way. */
  close(): void;
}

export interface RecentAnswersOptions {
  /** How long a good credential is remembered at most; others are not remembered. */
  readonly rememberMs: number;
}

const REMEMBERED = 1000;
const ASKED_AT_ONCE = 256;
const TIME_LIMIT_MS = 8_000;

/** The key is random: what is remembered ends with the verifier, and with it every change of its configuration. */
export function createRecentAnswers(options: RecentAnswersOptions, clock: Clock): RecentAnswers {
  const key = randomBytes(32);
  const closed = new AbortController();
  const good = new LRUCache<
    string,
    { readonly identity: Identity; readonly from: number; readonly until: number }
  >({
    max: REMEMBERED,
  });
  const running = new Map<string, Promise<Outcome>>();

  function remembered(digest: string): Outcome | undefined {
    const entry = good.get(digest);
    if (!entry) return undefined;
    const now = clock.now();
    if (now >= entry.from && now < entry.until) return { type: 'identity', identity: entry.identity };
    good.delete(digest);
    return undefined;
  }

  async function askFor(digest: string, ask: (signal: AbortSignal) => Promise<Answer>): Promise<Outcome> {
    const from = clock.now();
    try {
      const { outcome, validUntil } = await withinTime(TIME_LIMIT_MS, clock, closed.signal, ask);
      if (outcome.type === 'identity' && !closed.signal.aborted) {
        const until = Math.min(from + options.rememberMs, validUntil ?? Number.POSITIVE_INFINITY);
        good.set(digest, { identity: outcome.identity, from, until });
      }
      return outcome;
    } finally {
      running.delete(digest);
    }
  }

  return {
    async get(parts, ask) {
      // JSON keeps the parts apart, whatever they hold.
      const digest = createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64');
      const known = remembered(digest);
      if (known) return known;
      const earlier = running.get(digest);
      if (earlier !== undefined) return earlier;
      if (running.size >= ASKED_AT_ONCE) {
        return { type: 'cannot-tell', reason: 'too many logins wait for an answer already' };
      }
      const asked = askFor(digest, ask);
      running.set(digest, asked);
      return asked;
    },
    close() {
      closed.abort(new Error('the verifier is closed'));
      good.clear();
    },
  };
}
