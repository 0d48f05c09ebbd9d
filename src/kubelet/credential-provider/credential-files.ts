import { createHash, randomUUID } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Secret } from '../../core/index.ts';
import type { Credential } from '../../credentials/index.ts';
import { isRecord } from '../../oci/index.ts';
import type { PluginRequest } from './request.ts';
import type { Reach } from './response.ts';

/** A credential that an earlier start got, and what it is good for. */
export interface KeptCredential {
  readonly credential: Credential;
  readonly reach: Reach;
  /** Milliseconds since the epoch; then a new one is due. */
  readonly until: number;
}

/**
 * Credentials between one start and the next: kubelet starts the program for every pull, and most of the time that a
 * cloud takes is spent on what has not changed. They lie in a folder that its owner alone may enter, on a file system
 * that forgets (`/run`). What can't be read or written is as good as not kept.
 */
export interface CredentialFiles {
  /** @returns undefined also when the configuration or a file that it names has changed since */
  find(request: PluginRequest, keys: readonly string[], now: number): KeptCredential | undefined;
  keep(request: PluginRequest, kept: KeptCredential): void;
}

interface Entry {
  readonly until: number;
  readonly username: string;
  readonly password: string;
  readonly expiresAt?: number;
  readonly reach: Reach;
  readonly files: Readonly<Record<string, string>>;
}

const ENTRY_LIMIT_BYTES = 256 * 1024;

/**
 * @param folder made when missing
 * @param configFile its path is a part of what an entry is found by
 * @param files called when a credential is kept: the configuration's file and all that it names
 */
export function createCredentialFiles(
  folder: string,
  configFile: string,
  files: () => readonly string[],
): CredentialFiles {
  const pathOf = (request: PluginRequest, key: string): string => {
    const token = request.serviceAccountToken?.reveal() ?? '';
    const hash = createHash('sha256').update(JSON.stringify([configFile, key, token]));
    return join(folder, hash.digest('hex'));
  };
  return {
    find(request, keys, now) {
      if (!belongsToUs(folder)) return undefined;
      for (const key of keys) {
        const entry = readEntry(pathOf(request, key));
        if (entry && entry.until > now && isUnchanged(entry.files)) return keptCredential(entry);
      }
      return undefined;
    },
    keep(request, { credential, reach, until }) {
      const { username, password, expiresAt } = credential;
      const entry: Entry = {
        until,
        username,
        password: password.reveal(),
        ...(expiresAt !== undefined && { expiresAt }),
        reach,
        files: Object.fromEntries(files().map((path) => [path, versionOf(path)])),
      };
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        if (!belongsToUs(folder)) return;
        writeWhole(pathOf(request, reach.key), JSON.stringify(entry));
      } catch {
        // The next start asks again.
      }
    },
  };
}

/** A folder that somebody else may write to could hold somebody else's credentials. */
function belongsToUs(folder: string): boolean {
  try {
    const { uid, mode } = lstatSync(folder);
    return lstatSync(folder).isDirectory() && uid === process.getuid?.() && (mode & 0o077) === 0;
  } catch {
    return false;
  }
}

function writeWhole(path: string, text: string): void {
  const temporary = `${path}.${randomUUID()}`;
  try {
    writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
    chmodSync(temporary, 0o600);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function readEntry(path: string): Entry | undefined {
  try {
    if (statSync(path).size > ENTRY_LIMIT_BYTES) return undefined;
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isRecord(value) ? (value as unknown as Entry) : undefined;
  } catch {
    return undefined;
  }
}

function keptCredential({ username, password, expiresAt, reach, until }: Entry): KeptCredential {
  const credential = {
    username,
    password: new Secret(password),
    ...(expiresAt !== undefined && { expiresAt }),
  };
  return { credential, reach, until };
}

function isUnchanged(files: Readonly<Record<string, string>>): boolean {
  return Object.entries(files).every(([path, version]) => versionOf(path) === version);
}

/** Changes with the contents: a replaced file is another inode, a rewritten one has another time. */
function versionOf(path: string): string {
  try {
    const { ino, size, mtimeNs } = statSync(path, { bigint: true });
    return `${ino}:${size}:${mtimeNs}`;
  } catch {
    return 'missing';
  }
}
