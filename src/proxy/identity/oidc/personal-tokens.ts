import { z } from 'zod';
import type { Clock, Secret } from '../../../core/index.ts';
import type { StateStore } from '../../../state/index.ts';
import type { People, Person } from './people.ts';
import {
  formatPersonalToken,
  hashOfToken,
  isHashOfToken,
  newPersonalToken,
  parsePersonalToken,
} from './token-format.ts';

/** What its owner may see of a token. Times are milliseconds since the epoch. */
export interface TokenSummary {
  readonly id: string;
  readonly name: string;
  readonly created: number;
  readonly expires: number;
  /** To the minute; undefined when it was never used. */
  readonly lastUsed: number | undefined;
}

export type CreatedToken =
  | { readonly type: 'created'; readonly token: Secret; readonly summary: TokenSummary }
  | { readonly type: 'too-many' }
  | { readonly type: 'no-such-person' };

/** Whose a token is, and which. */
export interface FoundToken {
  readonly id: string;
  readonly personId: string;
  readonly person: Person;
}

/** Personal access tokens. Nothing that could be shown as a token is stored. Every call rejects when the store is down. */
export interface PersonalTokens {
  create(
    personId: string,
    wanted: { readonly name: string; readonly lifetimeMs: number },
  ): Promise<CreatedToken>;
  /** The newest first. */
  list(personId: string): Promise<readonly TokenSummary[]>;
  /** @returns whether the person had such a token */
  revoke(personId: string, id: string): Promise<boolean>;
  /** @returns undefined for what is not, or no longer, a token */
  check(shown: Secret): Promise<FoundToken | undefined>;
  /** The same for a token that was checked before. */
  find(id: string): Promise<FoundToken | undefined>;
  /** Notes a use, at most once a minute. */
  used(id: string): Promise<void>;
  /** Deletes the records of all tokens of somebody who is gone. */
  forget(person: Person): Promise<void>;
}

export interface PersonalTokensDependencies {
  readonly people: People;
  readonly state: StateStore;
  readonly clock: Clock;
  readonly randomBytes: (size: number) => Buffer;
}

/** How many tokens a person may have at a time. */
export const MAXIMUM_TOKENS = 50;
/** Longest name of a token, in UTF-16 code units. */
export const MAXIMUM_TOKEN_NAME_LENGTH = 60;

const COLLECTION = 'personal-tokens';
const USE_NOTED_EVERY_MS = 60_000;

const tokenRecord = z.object({ person: z.string(), hash: z.string(), lastUsed: z.number().optional() });

export function createPersonalTokens(dependencies: PersonalTokensDependencies): PersonalTokens {
  const { people, state, clock, randomBytes } = dependencies;

  async function read(id: string) {
    const stored = await state.get(COLLECTION, id);
    const record = stored && parse(stored.value);
    return record && { ...record, version: stored.version, expiresAt: stored.expiresAt };
  }

  /** The person's own list decides: a record that is not in it is what a lost race left behind. */
  async function ownerOf(id: string, personId: string): Promise<FoundToken | undefined> {
    const person = await people.get(personId);
    const listed = person?.tokens.find((token) => token.id === id);
    return person && listed && listed.expires > clock.now() ? { id, personId, person } : undefined;
  }

  return {
    async create(personId, { name, lifetimeMs }) {
      const token = newPersonalToken(randomBytes);
      const created = clock.now();
      const expires = created + lifetimeMs;
      const value = JSON.stringify({ person: personId, hash: hashOfToken(token) });
      if (!(await state.insert(COLLECTION, token.id, value, expires))) {
        throw new Error('a new token has the id of another');
      }
      const { changed, person } = await people.update(personId, (now) =>
        now.tokens.filter((other) => other.expires > created).length >= MAXIMUM_TOKENS
          ? undefined
          : { ...now, tokens: [...now.tokens, { id: token.id, name, created, expires }] },
      );
      if (changed) {
        const summary = { id: token.id, name, created, expires, lastUsed: undefined };
        return { type: 'created', token: formatPersonalToken(token), summary };
      }
      await state.delete(COLLECTION, token.id);
      return { type: person ? 'too-many' : 'no-such-person' };
    },
    async list(personId) {
      const tokens = (await people.get(personId))?.tokens ?? [];
      const alive = tokens.filter(({ expires }) => expires > clock.now());
      const summaries = alive.map(async (token) => ({
        ...token,
        lastUsed: (await read(token.id))?.lastUsed,
      }));
      return (await Promise.all(summaries)).reverse();
    },
    async revoke(personId, id) {
      const { changed } = await people.update(personId, (now) =>
        now.tokens.some((token) => token.id === id)
          ? { ...now, tokens: now.tokens.filter((token) => token.id !== id) }
          : undefined,
      );
      if (changed) await state.delete(COLLECTION, id);
      return changed;
    },
    async check(shown) {
      const token = parsePersonalToken(shown);
      const record = token && (await read(token.id));
      if (!token || !record || !isHashOfToken(record.hash, token)) return undefined;
      return ownerOf(token.id, record.person);
    },
    async find(id) {
      const record = await read(id);
      return record && ownerOf(id, record.person);
    },
    async used(id) {
      const record = await read(id);
      if (!record || clock.now() - (record.lastUsed ?? 0) < USE_NOTED_EVERY_MS) return;
      const { person, hash, version, expiresAt } = record;
      const value = JSON.stringify({ person, hash, lastUsed: clock.now() });
      await state.replace(COLLECTION, id, value, expiresAt, version);
    },
    async forget(person) {
      for (const { id } of person.tokens) await state.delete(COLLECTION, id);
    },
  };
}

function parse(value: string): z.infer<typeof tokenRecord> | undefined {
  try {
    return tokenRecord.safeParse(JSON.parse(value)).data;
  } catch {
    return undefined;
  }
}
