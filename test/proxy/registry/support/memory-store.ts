import type { StateStore, StoredRecord } from '../../../../src/state/index.ts';

/** Records in memory; nothing ends by itself. */
export function memoryStore(): StateStore & { readonly size: number } {
  const records = new Map<string, StoredRecord>();
  const keyOf = (collection: string, key: string) => JSON.stringify([collection, key]);
  return {
    get size() {
      return records.size;
    },
    get: async (collection, key) => records.get(keyOf(collection, key)),
    async insert(collection, key, value, expiresAt) {
      if (records.has(keyOf(collection, key))) return false;
      records.set(keyOf(collection, key), { value, expiresAt, version: 1 });
      return true;
    },
    async replace(collection, key, value, expiresAt, expectedVersion) {
      const known = records.get(keyOf(collection, key));
      if (known?.version !== expectedVersion) return false;
      records.set(keyOf(collection, key), { value, expiresAt, version: expectedVersion + 1 });
      return true;
    },
    delete: async (collection, key) => records.delete(keyOf(collection, key)),
    close: async () => {},
  };
}
