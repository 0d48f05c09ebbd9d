import type { StateStore, StoredRecord } from '../../src/state/index.ts';

/** A store whose records do not end, and whose answers each take a turn. */
export function createMemoryState(): StateStore {
  const records = new Map<string, StoredRecord>();
  const keyOf = (collection: string, key: string) => JSON.stringify([collection, key]);
  return {
    get: async (collection, key) => records.get(keyOf(collection, key)),
    async insert(collection, key, value, expiresAt) {
      if (records.has(keyOf(collection, key))) return false;
      records.set(keyOf(collection, key), { value, expiresAt, version: 1 });
      return true;
    },
    async replace(collection, key, value, expiresAt, expectedVersion) {
      if (records.get(keyOf(collection, key))?.version !== expectedVersion) return false;
      records.set(keyOf(collection, key), { value, expiresAt, version: expectedVersion + 1 });
      return true;
    },
    delete: async (collection, key) => records.delete(keyOf(collection, key)),
    close: async () => undefined,
  };
}
