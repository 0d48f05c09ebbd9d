import { LRUCache } from 'lru-cache';
import type { Credential } from '../provider.ts';
import type { CacheKeyType, PluginAnswer } from './plugin-answer.ts';

/** What a plugin answered, for as long as it holds, and for whatever it holds. */
export interface AnswerCache {
  get(question: CacheQuestion): PluginAnswer | undefined;
  set(question: CacheQuestion, answer: PluginAnswer, durationMs: number): void;
  /** Forgets every answer with this credential. */
  discard(credential: Credential): void;
}

export interface CacheQuestion {
  readonly image: string;
  /** Of a pod that shows a token: an answer for one is for no other. */
  readonly holder: string;
}

const MAXIMUM_ANSWERS = 500;
const KEY_TYPES: readonly CacheKeyType[] = ['Image', 'Registry', 'Global'];

export function createAnswerCache(now: () => number): AnswerCache {
  const answers = new LRUCache<string, { readonly answer: PluginAnswer; readonly until: number }>({
    max: MAXIMUM_ANSWERS,
  });
  return {
    get(question) {
      for (const type of KEY_TYPES) {
        const kept = answers.get(keyOf(type, question));
        if (kept && kept.until > now()) return kept.answer;
      }
      return undefined;
    },
    set(question, answer, durationMs) {
      if (durationMs <= 0) return;
      answers.set(keyOf(answer.cacheKeyType, question), { answer, until: now() + durationMs });
    },
    discard(credential) {
      for (const [key, { answer }] of answers.entries()) {
        if (answer.credentials.some((one) => one.credential === credential)) answers.delete(key);
      }
    },
  };
}

function keyOf(type: CacheKeyType, { image, holder }: CacheQuestion): string {
  const registry = image.split('/')[0] ?? image;
  const about = { Image: image, Registry: registry, Global: '' }[type];
  return JSON.stringify([type, about, holder]);
}
