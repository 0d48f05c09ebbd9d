import type { Clock } from '../../../core/index.ts';
import { isMachineNonce } from '../../../machine-identity/index.ts';
import type { StateStore, StoredRecord } from '../../../state/index.ts';
import { anchorOf, hashNonce, type InstanceRecord, isSame, parseInstanceRecord } from './instance-record.ts';

export interface InstanceRecordsOptions {
  /** Name of the verifier: two verifiers bind the same instance apart from each other. */
  readonly verifier: string;
  /** How old a document may be that binds an instance. */
  readonly firstUseMs: number;
  /** How old a document may be that comes with the nonce of its instance; as old as it likes when missing. */
  readonly maximumAgeMs?: number | undefined;
  /** How far the clock of the cloud may be ahead of ours. */
  readonly leewayMs: number;
  /** How long a binding is kept after it was last used. Longer than documents can bind, or one could bind again. */
  readonly keepMs: number;
  /**
   * Whether a document that is newer than all before may bind the instance to another nonce. Only for clouds where a new
   * document needs a restart: elsewhere it would end the binding.
   */
  readonly rebind?: boolean | undefined;
}

export interface InstanceRecordsDependencies {
  readonly state: StateStore;
  readonly clock: Clock;
}

/** A document that is genuine, and the nonce that came with it. */
export interface ShownDocument {
  /** What the cloud calls the instance, with what it takes to be unique there. */
  readonly instance: string;
  /** When the document was made, in milliseconds since the epoch. */
  readonly documentTime: number;
  readonly nonce: string;
}

export type Admission =
  | {
      readonly type: 'admitted';
      /** Marks the binding; {@link InstanceRecords.confirm} wants it back. */
      readonly anchor: string;
    }
  | { readonly type: 'refused'; readonly reason: string };

/**
 * Makes signed documents good for one machine, which by themselves are good for whoever has read them: the first use binds
 * the instance to a nonce that its client keeps, every later one needs that nonce, and no document is taken that is older
 * than one before. Every call rejects when the state store is out of reach.
 */
export interface InstanceRecords {
  /** Accepts a document, or says why not. Of many who are the first at once, exactly one is. */
  admit(shown: ShownDocument): Promise<Admission>;
  /** Whether a binding that was made earlier still stands, for a refresh token that hangs on it. */
  confirm(instance: string, anchor: string | undefined): Promise<Admission>;
}

const COLLECTION = 'instances';
const MAXIMUM_CONTENDERS = 5;
/** The end of a binding is put off no more often than this. */
const PUT_OFF_MS = 60 * 60_000;

export function createInstanceRecords(
  options: InstanceRecordsOptions,
  { state, clock }: InstanceRecordsDependencies,
): InstanceRecords {
  const { verifier, firstUseMs, maximumAgeMs, leewayMs, rebind = false } = options;
  // A document may be ahead of us when it binds, and as much behind when it is shown once more.
  const keepMs = Math.max(options.keepMs, firstUseMs + 2 * leewayMs + 1);
  const keyOf = (instance: string): string => JSON.stringify([verifier, instance]);

  function ageProblem(documentTime: number, limitMs: number | undefined): string | undefined {
    const age = clock.now() - documentTime;
    if (!Number.isFinite(age)) return 'the document has no time';
    if (age < -leewayMs) return 'the document is of a time that has not come yet';
    return limitMs !== undefined && age > limitMs + leewayMs ? 'the document is too old' : undefined;
  }

  function newRecord({ documentTime, nonce }: ShownDocument): InstanceRecord {
    return { nonceHash: hashNonce(nonce), documentTime, boundAt: clock.now() };
  }

  /** The record that is to take the place of `known`, or a reason against it. */
  function judge(shown: ShownDocument, known: InstanceRecord | undefined): InstanceRecord | string {
    const tooOldToBind = ageProblem(shown.documentTime, firstUseMs);
    if (!known) return tooOldToBind === undefined ? newRecord(shown) : `${tooOldToBind} for a first use`;
    if (shown.documentTime < known.documentTime) return 'the document is older than one seen before';
    if (isSame(known.nonceHash, hashNonce(shown.nonce))) {
      return ageProblem(shown.documentTime, maximumAgeMs) ?? { ...known, documentTime: shown.documentTime };
    }
    const mayRebind = rebind && shown.documentTime > known.documentTime && tooOldToBind === undefined;
    return mayRebind ? newRecord(shown) : 'the instance is bound to another nonce';
  }

  async function write(
    key: string,
    before: StoredRecord | undefined,
    after: InstanceRecord,
  ): Promise<boolean> {
    const value = JSON.stringify(after);
    const expiresAt = clock.now() + keepMs;
    if (!before) return state.insert(COLLECTION, key, value, expiresAt);
    if (before.value === value && before.expiresAt > expiresAt - PUT_OFF_MS) return true;
    return state.replace(COLLECTION, key, value, expiresAt, before.version);
  }

  return {
    async admit(shown) {
      if (!isMachineNonce(shown.nonce)) return refused('it comes without a nonce');
      const key = keyOf(shown.instance);
      for (let contender = 0; contender < MAXIMUM_CONTENDERS; contender += 1) {
        const before = await state.get(COLLECTION, key);
        const known = before && parseInstanceRecord(before.value);
        // Not a first use: somebody is bound, and we can not read who.
        if (before && !known) throw new Error(`the record of ${shown.instance} can not be read`);
        const after = judge(shown, known);
        if (typeof after === 'string') return refused(after);
        if (await write(key, before, after)) {
          return { type: 'admitted', anchor: anchorOf(shown.instance, after) };
        }
      }
      throw new Error(`too many logins of ${shown.instance} at once`);
    },
    async confirm(instance, anchor) {
      const key = keyOf(instance);
      const before = await state.get(COLLECTION, key);
      const known = before && parseInstanceRecord(before.value);
      if (!before || !known) return refused('the instance is not bound any more');
      const current = anchorOf(instance, known);
      if (anchor === undefined || !isSame(anchor, current)) return refused('the instance was bound anew');
      // Who loses a race here loses nothing: the winner has put the end off too.
      await write(key, before, known);
      return { type: 'admitted', anchor: current };
    },
  };
}

function refused(reason: string): Admission {
  return { type: 'refused', reason };
}
