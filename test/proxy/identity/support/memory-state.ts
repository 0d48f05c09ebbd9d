import type { Clock } from '../../../../src/core/index.ts';
import type { StateStore, StoredRecord } from '../../../../src/state/index.ts';

/** Records in memory, as the store has to keep them. */
export function createMemoryState(clock: Pick<Clock, 'now'>): StateStore {
  const records = new Map<string, StoredRecord>();
  let versions = 0;
  const keyOf = (collection: string, key: string): string => JSON.stringify([collection, key]);
  const live = (id: string): StoredRecord | undefined => {
    const record = records.get(id);
    return record && record.expiresAt > clock.now() ? record : undefined;
  };
  return {
    get: async (collection, key) => live(keyOf(collection, key)),
    async insert(collection, key, value, expiresAt) {
      const id = keyOf(collection, key);
      if (live(id)) return false;
      records.set(id, { value, expiresAt, version: ++versions });
      return true;
    },
    async replace(collection, key, value, expiresAt, expectedVersion) {
      const id = keyOf(collection, key);
      if (live(id)?.version !== expectedVersion) return false;
      records.set(id, { value, expiresAt, version: ++versions });
      return true;
    },
    async delete(collection, key) {
      const id = keyOf(collection, key);
      return live(id) !== undefined && records.delete(id);
    },
    close: async () => undefined,
  };
}
