import type { Descriptor, Digest } from '../../../oci/index.ts';
import type { Logger } from '../../../telemetry/index.ts';
import { UpstreamError } from '../errors.ts';
import { buildCatalogue, type Catalogue, type ReadLinks } from './catalogue.ts';
import { indexFingerprint, readLayoutIndex } from './layout-files.ts';
import { readManifestFile } from './manifest-file.ts';
import type { ManifestLinks } from './manifest-links.ts';

const MOST_PROBLEMS_LOGGED = 10;

export interface CatalogueReader {
  /**
   * What the layout holds now: read again when `index.json` has changed, once for all who ask meanwhile.
   * @throws {UpstreamError} `unreachable` or `faulty`; the next call tries anew
   */
  current(signal: AbortSignal): Promise<Catalogue>;
  close(): void;
}

interface Loaded {
  readonly fingerprint: string;
  readonly catalogue: Catalogue;
  /** Kept for the next version of the layout: what a digest leads to never changes. */
  readonly links: ReadonlyMap<Digest, ManifestLinks>;
}

export function createCatalogueReader(folder: string, log: Logger): CatalogueReader {
  const closing = new AbortController();
  let loaded: Loaded | undefined;
  let loading: Promise<Loaded> | undefined;

  const load = async (): Promise<Loaded> => {
    const { fingerprint, entries } = await readLayoutIndex(folder, closing.signal);
    const memory = linksMemory(folder, loaded?.links, closing.signal);
    const catalogue = await buildCatalogue(entries, memory.readLinks);
    report(log, [...catalogue.problems, ...memory.problems]);
    loaded = { fingerprint, catalogue, links: memory.links };
    return loaded;
  };

  return {
    current: async (signal) => {
      signal.throwIfAborted();
      const fingerprint = await indexFingerprint(folder);
      if (loaded?.fingerprint === fingerprint) return loaded.catalogue;
      loading ??= load().finally(() => {
        loading = undefined;
      });
      return (await unlessAborted(loading, signal)).catalogue;
    },
    close: () => closing.abort(new UpstreamError('unreachable', 'the layout has been closed')),
  };
}

/** Reads the links of each manifest once, however many repositories share it. */
function linksMemory(
  folder: string,
  earlier: ReadonlyMap<Digest, ManifestLinks> | undefined,
  signal: AbortSignal,
): { readLinks: ReadLinks; links: Map<Digest, ManifestLinks>; problems: string[] } {
  const links = new Map<Digest, ManifestLinks>();
  const unusable = new Set<Digest>();
  const problems: string[] = [];
  const readLinks = async (manifest: Descriptor): Promise<ManifestLinks | undefined> => {
    const { digest } = manifest;
    if (unusable.has(digest)) return undefined;
    const known = links.get(digest) ?? earlier?.get(digest);
    if (known) {
      links.set(digest, known);
      return known;
    }
    try {
      const read = await readManifestFile(folder, manifest, signal);
      links.set(digest, read.links);
      return read.links;
    } catch (error) {
      if (!(error instanceof UpstreamError) || error.kind === 'unreachable') throw error;
      unusable.add(digest);
      // An index of which only some platforms were copied is nothing unusual.
      if (error.kind !== 'not-found') problems.push(error.message);
      return undefined;
    }
  };
  return { readLinks, links, problems };
}

function report(log: Logger, problems: readonly string[]): void {
  if (problems.length === 0) return;
  log.warn(
    { problems: problems.slice(0, MOST_PROBLEMS_LOGGED), count: problems.length },
    'parts of the image layout are left out',
  );
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    if (signal.aborted) abort();
  });
}
