import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../../core/index.ts';
import type { StateStore } from '../../../state/index.ts';

const personRecord = z.object({
  /** A person of another issuer under the same verifier name is another person. */
  issuer: z.string(),
  verifier: z.string(),
  /** As the provider knows them. */
  subject: z.string(),
  /** As rules know them. */
  name: z.string(),
  groups: z.array(z.string()),
  /** When the provider last said so; milliseconds since the epoch. */
  refreshedAt: z.number(),
  /** Until then one process alone asks the provider: a refresh token may be good for one use. */
  refreshingUntil: z.number(),
  /** The provider's, sealed. Missing: the person has to sign in again before their tokens count. */
  refreshToken: z.string().optional(),
  /** Whether the provider was shown this refresh token and we have not heard what came of it: it may be spent. */
  unanswered: z.boolean().optional(),
  tokens: z.array(z.object({ id: z.string(), name: z.string(), created: z.number(), expires: z.number() })),
});
export type Person = z.infer<typeof personRecord>;

/** The outcome of {@link People.update}. */
export interface Updated {
  readonly changed: boolean;
  /** As it is in the store now; undefined when there is no such person. */
  readonly person: Person | undefined;
}

/** People who have signed in: one record each, with the index of their tokens. Every call rejects when the store is down. */
export interface People {
  idOf(subject: string): string;
  get(id: string): Promise<Person | undefined>;
  /** Makes the record, or changes the one there is. */
  put(id: string, change: (now: Person | undefined) => Person): Promise<Person>;
  /** Changes a record that exists. @param change answers undefined to leave it */
  update(id: string, change: (now: Person) => Person | undefined): Promise<Updated>;
  delete(id: string): Promise<void>;
}

const COLLECTION = 'people';
/** A person without tokens is forgotten after this. */
const KEPT_MS = 24 * 60 * 60_000;
/** Each lost race means that somebody else won it; more in a row than this is a defect. */
const ATTEMPTS = 20;

export function createPeople(
  { name, issuer }: { readonly name: string; readonly issuer: string },
  { state, clock }: { readonly state: StateStore; readonly clock: Clock },
): People {
  async function find(id: string): Promise<{ person: Person; version: number } | undefined> {
    const stored = await state.get(COLLECTION, id);
    const person = stored && parse(stored.value);
    const mine = person?.verifier === name && person.issuer === issuer;
    return person && mine ? { person, version: stored.version } : undefined;
  }

  const expiryOf = (person: Person): number =>
    Math.max(clock.now() + KEPT_MS, ...person.tokens.map(({ expires }) => expires));

  async function write(id: string, person: Person, version: number | undefined): Promise<Person | undefined> {
    const tokens = person.tokens.filter(({ expires }) => expires > clock.now());
    const kept: Person = { ...person, tokens };
    const value = JSON.stringify(kept);
    const won =
      version === undefined
        ? await state.insert(COLLECTION, id, value, expiryOf(kept))
        : await state.replace(COLLECTION, id, value, expiryOf(kept), version);
    return won ? kept : undefined;
  }

  return {
    idOf: (subject) =>
      createHash('sha256')
        .update(JSON.stringify([name, issuer, subject]))
        .digest('base64url'),
    get: async (id) => (await find(id))?.person,
    async put(id, change) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const found = await find(id);
        const written = await write(id, change(found?.person), found?.version);
        if (written) return written;
      }
      throw new Error('the record of a person is changed too often at once');
    },
    async update(id, change) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const found = await find(id);
        const next = found && change(found.person);
        if (!found || !next) return { changed: false, person: found?.person };
        const written = await write(id, next, found.version);
        if (written) return { changed: true, person: written };
      }
      throw new Error('the record of a person is changed too often at once');
    },
    async delete(id) {
      await state.delete(COLLECTION, id);
    },
  };
}

function parse(value: string): Person | undefined {
  try {
    return personRecord.safeParse(JSON.parse(value)).data;
  } catch {
    return undefined;
  }
}
