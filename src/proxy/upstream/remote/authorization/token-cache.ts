import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../../core/index.ts';
import type { BearerToken } from './token-answer.ts';

const MAXIMUM_TOKENS = 4096;
const MAXIMUM_MARGIN_MS = 30_000;
const MARGIN_SHARE = 0.25;

interface Entry {
  readonly value: string;
  /** Milliseconds since the epoch; a while before the token itself ends. */
  readonly usableUntil: number;
}

/** Tokens until shortly before they end, and one request for each that is missing, however many want it. */
export class TokenCache {
  readonly #tokens = new LRUCache<string, Entry>({ max: MAXIMUM_TOKENS });
  readonly #coming = new Map<string, Promise<string>>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(key: string): string | undefined {
    const entry = this.#tokens.get(key);
    return entry && this.#clock.now() < entry.usableUntil ? entry.value : undefined;
  }

  /** Forgets a token that was not accepted; one that has come since stays. */
  reject(key: string, value: string): void {
    if (this.#tokens.get(key)?.value === value) this.#tokens.delete(key);
  }

  /** The token, or the result of `fetch`, which runs once at a time for each key. */
  getOrFetch(key: string, fetch: () => Promise<BearerToken>): Promise<string> {
    const known = this.get(key);
    if (known !== undefined) return Promise.resolve(known);
    const coming = this.#coming.get(key);
    if (coming !== undefined) return coming;
    const fetched = this.#fetch(key, fetch).finally(() => this.#coming.delete(key));
    this.#coming.set(key, fetched);
    return fetched;
  }

  async #fetch(key: string, fetch: () => Promise<BearerToken>): Promise<string> {
    const { value, lifetimeSeconds } = await fetch();
    const lifetimeMs = lifetimeSeconds * 1000;
    const marginMs = Math.min(MAXIMUM_MARGIN_MS, lifetimeMs * MARGIN_SHARE);
    this.#tokens.set(key, { value, usableUntil: this.#clock.now() + lifetimeMs - marginMs });
    return value;
  }
}
