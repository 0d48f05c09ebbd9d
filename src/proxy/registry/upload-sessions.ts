import { randomUUID } from 'node:crypto';
import type { Clock } from '../../core/index.ts';
import { isRecord, type RepositoryName } from '../../oci/index.ts';
import type { StateStore } from '../../state/index.ts';
import { createSealedBox, type Identity, type SecretKeys } from '../identity/index.ts';

/** An upload between two of its steps. */
export interface UploadStep {
  /** The same from the first step to the last. */
  readonly id: string;
  /** Where the upstream says that it goes on. */
  readonly location: string;
  /** How many bytes are there; undefined where nobody can say. */
  readonly offset: number | undefined;
}

/** Whose an upload is. A session opens for the same one only. */
export interface UploadOwner {
  readonly upstream: string;
  /** As the client asks for it. */
  readonly name: RepositoryName;
  /** At the upstream. */
  readonly repository: RepositoryName;
  readonly identity: Pick<Identity, 'verifier' | 'name'>;
}

/**
 * Uploads under way. Where one goes on is not kept here but sealed into the URL that its client gets, so that a restart or
 * another replica with the same keys does not matter. Only when a chunk breaks off, and its client hears nothing of the new
 * place, is that noted in the state store, for when the client asks.
 */
export interface UploadSessions {
  /** @returns the id of a new upload */
  begin(): string;
  /** @returns a path segment */
  seal(step: UploadStep, owner: UploadOwner): string;
  /** @returns undefined for what was not sealed here for this owner, and for what has ended */
  open(session: string, owner: UploadOwner): UploadStep | undefined;
  /** Notes where an upload goes on when the client can't be told. */
  note(step: UploadStep, owner: UploadOwner): Promise<void>;
  /** The newer of this step and the noted one. A chunk that is on its way here is waited for, up to a while. */
  newest(step: UploadStep, owner: UploadOwner): Promise<UploadStep>;
  /** Runs the sending of a chunk, which {@link newest} waits for. */
  whileSending<T>(step: UploadStep, send: () => Promise<T>): Promise<T>;
}

export interface UploadSessionsDependencies {
  readonly secretKeys: SecretKeys;
  readonly state: StateStore;
  readonly clock: Clock;
}

const LIFETIME_MS = 24 * 60 * 60 * 1000;
const WAIT_MS = 10_000;
const PURPOSE = 'upload sessions';
const COLLECTION = 'uploads';

export function createUploadSessions(dependencies: UploadSessionsDependencies): UploadSessions {
  const { secretKeys, state, clock } = dependencies;
  const box = createSealedBox(secretKeys(PURPOSE));
  const sending = new Map<string, Promise<unknown>>();

  function seal({ id, location, offset }: UploadStep, owner: UploadOwner): string {
    const text = JSON.stringify({ id, location, offset, until: clock.now() + LIFETIME_MS });
    return box.seal(text, contextOf(owner));
  }

  function open(session: string, owner: UploadOwner): UploadStep | undefined {
    const text = box.open(session, contextOf(owner));
    const value: unknown = text === undefined ? undefined : JSON.parse(text);
    if (!isRecord(value) || typeof value.until !== 'number' || value.until <= clock.now()) return undefined;
    const { id, location, offset } = value;
    if (typeof id !== 'string' || typeof location !== 'string') return undefined;
    return { id, location, offset: typeof offset === 'number' ? offset : undefined };
  }

  return {
    begin: () => randomUUID(),
    seal,
    open,

    async note(step, owner) {
      const sealed = seal(step, owner);
      const until = clock.now() + LIFETIME_MS;
      if (await state.insert(COLLECTION, step.id, sealed, until)) return;
      const noted = await state.get(COLLECTION, step.id);
      if (noted) await state.replace(COLLECTION, step.id, sealed, until, noted.version);
    },

    async newest(step, owner) {
      const enough = new AbortController();
      await Promise.race([sending.get(step.id), clock.sleep(WAIT_MS, enough.signal)]).catch(() => {});
      enough.abort();
      const noted = await state.get(COLLECTION, step.id);
      const other = noted && open(noted.value, owner);
      return other && (other.offset ?? 0) > (step.offset ?? 0) ? other : step;
    },

    whileSending({ id }, send) {
      const sent = send().finally(() => {
        if (sending.get(id) === sent) sending.delete(id);
      });
      sending.set(id, sent);
      return sent;
    },
  };
}

function contextOf({ upstream, name, repository, identity }: UploadOwner): string {
  return JSON.stringify([PURPOSE, upstream, name, repository, identity.verifier, identity.name]);
}
