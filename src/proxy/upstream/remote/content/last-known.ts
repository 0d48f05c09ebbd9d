import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../../core/index.ts';
import { type Digest, type Reference, type RepositoryName, referenceText } from '../../../../oci/index.ts';
import type { Manifest } from '../../upstream.ts';

/** What a name meant when the registry was last asked. */
export interface LastKnown {
  readonly manifest: Manifest;
  /** Milliseconds since the epoch. */
  readonly seenAt: number;
}

const MAXIMUM_BYTES = 16 * 1024 * 1024;
const MAXIMUM_NAMES = 4096;
/** Four windows of Docker Hub; what is older says little. */
const LONGEST_AGE_MS = 24 * 60 * 60_000;

/**
 * A bounded memory of manifests, for the time when a registry can't be asked. A manifest is known in the repository that
 * it came from and in no other.
 */
export class LastKnownManifests {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #names = new LRUCache<string, { readonly digest: Digest; readonly seenAt: number }>({
    max: MAXIMUM_NAMES,
  });
  readonly #contents = new LRUCache<string, Manifest>({
    maxSize: MAXIMUM_BYTES,
    sizeCalculation: ({ content }) => content.length + 1024,
  });

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** @param accept as the client sent it: the registry's choice may hang on it */
  get(repository: RepositoryName, reference: Reference, accept: readonly string[]): LastKnown | undefined {
    const name = this.#names.get(nameKey(repository, reference, accept));
    if (!name || this.#clock.now() - name.seenAt > LONGEST_AGE_MS) return undefined;
    const manifest = this.content(repository, name.digest);
    return manifest && { manifest, seenAt: name.seenAt };
  }

  content(repository: RepositoryName, digest: Digest): Manifest | undefined {
    return this.#contents.get(contentKey(repository, digest));
  }

  /** The registry has just said that this is what the name means. */
  seen(
    repository: RepositoryName,
    reference: Reference,
    accept: readonly string[],
    manifest: Manifest,
  ): void {
    const { digest } = manifest;
    const seenAt = this.#clock.now();
    this.#contents.set(contentKey(repository, digest), manifest);
    this.#names.set(nameKey(repository, reference, accept), { digest, seenAt });
    if (reference.type === 'tag') {
      this.#names.set(nameKey(repository, { type: 'digest', digest }, accept), { digest, seenAt });
    }
  }

  forget(repository: RepositoryName, reference: Reference, accept: readonly string[]): void {
    this.#names.delete(nameKey(repository, reference, accept));
  }
}

function nameKey(repository: RepositoryName, reference: Reference, accept: readonly string[]): string {
  // A digest means one thing whatever is accepted.
  return JSON.stringify([repository, referenceText(reference), ...(reference.type === 'tag' ? accept : [])]);
}

function contentKey(repository: RepositoryName, digest: Digest): string {
  return `${repository}@${digest}`;
}
