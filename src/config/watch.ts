import { fingerprintFiles } from './fingerprint.ts';
import { createFolderWatch } from './folder-watch.ts';
import type { LoadedConfig } from './load.ts';
import { ConfigError, type ConfigSnapshot } from './problem.ts';

export interface ConfigWatcherOptions<T> {
  /** Reads the configuration anew; rejects with a {@link ConfigError} when it can't be used. */
  readonly load: () => Promise<LoadedConfig<T>>;
  /** What is in use now. */
  readonly initial: LoadedConfig<T>;
  /** Takes a new version into use. When it rejects, the version counts as refused. */
  readonly onChange: (loaded: LoadedConfig<T>) => void | Promise<void>;
  /** Told once of each version that can't be used; the last good one stays in use. */
  readonly onRefused: (error: Error) => void;
  /** How long to wait for further changes after one. */
  readonly debounceMs?: number;
  /** How often to look without being told, for file systems that tell nothing. */
  readonly pollMs?: number;
}

export interface ConfigWatcher {
  /** Resolves when the files are watched, and changes made since `initial` was loaded have been seen. */
  readonly ready: Promise<void>;
  /** Loads now, also when nothing has changed (SIGHUP). Resolves when the new version is in use, or refused. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

const DEBOUNCE_MS = 100;
const POLL_MS = 30_000;
/** Files that change all the time are read so often in search of a version that holds still, and then taken as is. */
const MOST_READINGS = 5;

type Outcome<T> =
  | { readonly type: 'loaded'; readonly loaded: LoadedConfig<T>; readonly snapshot: ConfigSnapshot }
  | { readonly type: 'refused'; readonly error: Error; readonly snapshot: ConfigSnapshot };

/**
 * Watches a configuration file and everything that it names. Versions are told apart by their contents, so that a
 * touched file is no change, and are only taken when the files hold still while they are read.
 */
export function createConfigWatcher<T>(options: ConfigWatcherOptions<T>): ConfigWatcher {
  const { load, initial, onChange, onRefused, debounceMs = DEBOUNCE_MS, pollMs = POLL_MS } = options;
  let closed = false;
  let good: ConfigSnapshot = initial;
  let latest: ConfigSnapshot = initial;
  let debounce: NodeJS.Timeout | undefined;
  let tail: Promise<void> = Promise.resolve();
  let waiting: Promise<void> | undefined;

  const folders = createFolderWatch(() => {
    if (closed) return;
    clearTimeout(debounce);
    debounce = setTimeout(() => void look(), debounceMs).unref();
  });
  const poll = setInterval(() => void look(), pollMs).unref();

  /** One after the other; whoever asks while one waits to start shares that one. */
  function look(): Promise<void> {
    waiting ??= enqueue(async () => {
      waiting = undefined;
      if ((await fingerprintFiles(latest.files)) !== latest.fingerprint) await read();
      else await folders.target(latest.files);
    });
    return waiting;
  }

  function enqueue(work: () => Promise<void>): Promise<void> {
    const done = tail.then(async () => {
      if (!closed) await work();
    });
    tail = done.catch(() => undefined);
    return done;
  }

  async function read(): Promise<void> {
    let outcome = await attempt();
    for (let reading = 1; reading < MOST_READINGS; reading += 1) {
      await folders.target(outcome.snapshot.files);
      // From here on the watches tell of changes; those before show here.
      if ((await fingerprintFiles(outcome.snapshot.files)) === outcome.snapshot.fingerprint) break;
      outcome = await attempt();
    }
    if (closed) return;
    latest = outcome.snapshot;
    if (outcome.type === 'refused') return onRefused(outcome.error);
    try {
      await onChange(outcome.loaded);
      good = outcome.snapshot;
    } catch (error) {
      onRefused(asError(error));
    }
  }

  async function attempt(): Promise<Outcome<T>> {
    try {
      const loaded = await load();
      return { type: 'loaded', loaded, snapshot: loaded };
    } catch (cause) {
      const error = asError(cause);
      return { type: 'refused', error, snapshot: await snapshotOf(error, good) };
    }
  }

  return {
    ready: enqueue(() => folders.target(latest.files)).then(look),
    reload: () => enqueue(read),
    close: async () => {
      closed = true;
      clearTimeout(debounce);
      clearInterval(poll);
      folders.close();
      await tail;
    },
  };
}

async function snapshotOf(error: Error, good: ConfigSnapshot): Promise<ConfigSnapshot> {
  if (error instanceof ConfigError && error.snapshot.files.length > 0) return error.snapshot;
  return { files: good.files, fingerprint: await fingerprintFiles(good.files) };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
