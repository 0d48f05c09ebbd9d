/** A record with the version that {@link StateStore.replace} compares. */
export interface StoredRecord {
  readonly value: string;
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/**
 * Small durable records: refresh tokens, and later sessions and first-use bindings. Every record ends at a time.
 * A collection is a fixed word of the code, a key may be anything. Records that have expired are never returned.
 */
export interface StateStore {
  get(collection: string, key: string): Promise<StoredRecord | undefined>;
  /** @returns false, and changes nothing, when the key is taken by a record that has not expired. */
  insert(collection: string, key: string, value: string, expiresAt: number): Promise<boolean>;
  /** @returns false, and changes nothing, when the record is gone or has another version than `expectedVersion`. */
  replace(
    collection: string,
    key: string,
    value: string,
    expiresAt: number,
    expectedVersion: number,
  ): Promise<boolean>;
  /** @returns whether there was such a record. */
  delete(collection: string, key: string): Promise<boolean>;
  close(): Promise<void>;
}
