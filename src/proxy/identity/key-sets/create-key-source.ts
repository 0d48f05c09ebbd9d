import type { Clock, FileReference } from '../../../core/index.ts';
import type { HostLookup } from '../../../network/index.ts';
import type { Logger } from '../../../telemetry/index.ts';
import type { SignatureAlgorithm } from './algorithm.ts';
import { createCachedKeySet } from './cached-key-set.ts';
import { KeySetError } from './errors.ts';
import { createKeySetFetcher, type KeySetLocation } from './fetch-key-set.ts';
import { type KeySet, parseKeySet } from './key-set.ts';
import type { KeySource } from './key-source.ts';

export interface KeySourceOptions extends KeySetLocation {
  readonly algorithms: readonly SignatureAlgorithm[];
  readonly jwksFile?: FileReference | undefined;
  /** Milliseconds. */
  readonly keepKeys: number;
}

export interface KeySourceDependencies {
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn'>;
  readonly resolve?: HostLookup;
}

/**
 * The keys that the options speak of: in a file, at a URL, or where the issuer's document says. Nothing is fetched
 * before the first key is asked for.
 * @throws {KeySetError} for a file that holds no key that can be used
 */
export function createKeySource(options: KeySourceOptions, dependencies: KeySourceDependencies): KeySource {
  const { algorithms, jwksFile, keepKeys } = options;
  if (jwksFile) return fileKeySource(jwksFile, algorithms);
  const fetcher = createKeySetFetcher(options, dependencies.resolve);
  const cached = createCachedKeySet(
    { keepMs: keepKeys },
    {
      ...dependencies,
      load: async (signal) => parseKeySet(await fetcher.fetch(signal), algorithms),
    },
  );
  return {
    find: (id) => cached.find(id),
    async close() {
      await cached.close();
      await fetcher.close();
    },
  };
}

/** A changed file is a new configuration, and with it a new verifier. */
function fileKeySource(file: FileReference, algorithms: readonly SignatureAlgorithm[]): KeySource {
  const keys = readKeyFile(file, algorithms);
  return {
    async find(id) {
      const key = keys.find(id);
      return key ? { type: 'key', key } : { type: 'unknown' };
    },
    close: async () => undefined,
  };
}

function readKeyFile(file: FileReference, algorithms: readonly SignatureAlgorithm[]): KeySet {
  try {
    return parseKeySet(file.text(), algorithms);
  } catch (error) {
    throw error instanceof KeySetError ? new KeySetError(`${file.path}: ${error.message}`) : error;
  }
}
