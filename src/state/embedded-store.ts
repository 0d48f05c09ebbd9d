import { closeSync, constants, fchmodSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import type { Clock } from '../core/index.ts';
import { StateError } from './errors.ts';
import { newVersion } from './record-version.ts';
import type { StateStore, StoredRecord } from './store.ts';

const FILE_NAME = 'state.db';
const SCHEMA_VERSION = 1;
const BUSY_TIMEOUT_MS = 5000;
const PURGE_INTERVAL_MS = 60_000;
const PURGE_LIMIT = 500;
/** When there was more to delete than the limit. */
const PURGE_AGAIN_MS = 1000;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS records (
    collection TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    version INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (collection, key)
  );
  CREATE INDEX IF NOT EXISTS records_expires_at ON records (expires_at);
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/**
 * Records in one SQLite file, `state.db`. Each call is one statement, so several processes may share the folder.
 * What has expired is deleted now and then when something is written.
 * @throws {StateError} when the file can't be made, opened or understood
 */
export function createEmbeddedStore(directory: string, dependencies: { readonly clock: Clock }): StateStore {
  const { clock } = dependencies;
  const path = join(directory, FILE_NAME);
  const database = openDatabase(directory, path);
  const select = database.prepare(
    'SELECT value, version, expires_at FROM records WHERE collection = ? AND key = ? AND expires_at > ?',
  );
  const insert = database.prepare(
    `INSERT INTO records (collection, key, value, version, expires_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (collection, key) DO UPDATE
     SET value = excluded.value, version = excluded.version, expires_at = excluded.expires_at
     WHERE records.expires_at <= ?`,
  );
  const update = database.prepare(
    `UPDATE records SET value = ?, version = ?, expires_at = ?
     WHERE collection = ? AND key = ? AND version = ? AND expires_at > ?`,
  );
  const remove = database.prepare('DELETE FROM records WHERE collection = ? AND key = ? AND expires_at > ?');
  const purge = database.prepare(
    'DELETE FROM records WHERE rowid IN (SELECT rowid FROM records WHERE expires_at <= ? LIMIT ?)',
  );
  let purgeAt = Number.NEGATIVE_INFINITY;
  let closed = false;

  /** Runs a statement that writes. @returns whether it changed a record */
  function write(change: () => Database.RunResult): boolean {
    assertOpen();
    const now = clock.now();
    if (now >= purgeAt) {
      const isMore = purge.run(now, PURGE_LIMIT).changes >= PURGE_LIMIT;
      purgeAt = now + (isMore ? PURGE_AGAIN_MS : PURGE_INTERVAL_MS);
    }
    return change().changes > 0;
  }

  function assertOpen(): void {
    if (closed) throw new StateError(`${path} is closed`);
  }

  return {
    async get(collection, key) {
      assertOpen();
      return readRow(select.get(collection, key, clock.now()));
    },
    async insert(collection, key, value, expiresAt) {
      return write(() => insert.run(collection, key, value, newVersion(), expiresAt, clock.now()));
    },
    async replace(collection, key, value, expiresAt, expectedVersion) {
      return write(() =>
        update.run(value, newVersion(), expiresAt, collection, key, expectedVersion, clock.now()),
      );
    },
    async delete(collection, key) {
      return write(() => remove.run(collection, key, clock.now()));
    },
    async close() {
      if (closed) return;
      closed = true;
      database.close();
    },
  };
}

function openDatabase(directory: string, path: string): Database.Database {
  let database: Database.Database | undefined;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    restrictFile(path);
    database = new Database(path, { timeout: BUSY_TIMEOUT_MS });
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    const found = readSchemaVersion(database);
    if (found > SCHEMA_VERSION) {
      throw new Error(`it was written by a newer version of this program (schema ${found})`);
    }
    database.exec(SCHEMA);
    return database;
  } catch (cause) {
    database?.close();
    throw new StateError(`${path} can't be opened: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

/** SQLite gives the files it makes beside this one the same mode. */
function restrictFile(path: string): void {
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    fchmodSync(file, 0o600);
  } finally {
    closeSync(file);
  }
}

function readSchemaVersion(database: Database.Database): number {
  const row = database.prepare('PRAGMA user_version').get() as { readonly user_version: number };
  return row.user_version;
}

function readRow(row: unknown): StoredRecord | undefined {
  if (row === undefined || row === null) return undefined;
  const { value, version, expires_at } = row as {
    readonly value: string;
    readonly version: number;
    readonly expires_at: number;
  };
  return { value, version, expiresAt: expires_at };
}
