import type { Clock } from '../../../../core/index.ts';
import type { Reference, RepositoryName } from '../../../../oci/index.ts';
import { UpstreamError } from '../../errors.ts';
import type { Manifest, ManifestHead, ManifestOptions } from '../../upstream.ts';
import type { Accounts } from '../authorization/index.ts';
import { type LastKnown, LastKnownManifests } from './last-known.ts';
import type { Manifests } from './manifests.ts';

export interface SparingDependencies {
  readonly clock: Pick<Clock, 'now'>;
  readonly accounts: Pick<Accounts, 'isCounted' | 'remaining'>;
  /** With fewer pulls left, what was last known is the answer; with 0 it never is. */
  readonly floor: number;
  /** A client is being told what was last known. */
  readonly onLastKnown: () => void;
}

/**
 * Manifests of a registry that may count what is pulled: GET costs a pull there, HEAD is free. What has been fetched is
 * kept, and a HEAD then shows that it still holds. When little is left, or the registry has asked us to wait, what was
 * last known is the answer. Nothing is kept of registries that do not count.
 */
export class SparingManifests implements Pick<Manifests, 'get' | 'head'> {
  readonly #manifests: Manifests;
  readonly #dependencies: SparingDependencies;
  readonly #memory: LastKnownManifests;

  constructor(manifests: Manifests, dependencies: SparingDependencies) {
    this.#manifests = manifests;
    this.#dependencies = dependencies;
    this.#memory = new LastKnownManifests(dependencies.clock);
  }

  async get(repository: RepositoryName, reference: Reference, options: ManifestOptions): Promise<Manifest> {
    const known = this.#memory.get(repository, reference, options.accept);
    if (!known) return this.#fetch(repository, reference, options);
    return this.#unlessLimited(known, async () => {
      const head = await this.#look(repository, reference, options);
      const current = head && this.#memory.content(repository, head.digest);
      if (current) {
        this.#memory.seen(repository, reference, options.accept, current);
        return current;
      }
      return this.#isLow ? this.#lastKnown(known) : this.#fetch(repository, reference, options);
    });
  }

  async head(
    repository: RepositoryName,
    reference: Reference,
    options: ManifestOptions,
  ): Promise<ManifestHead> {
    const known = this.#memory.get(repository, reference, options.accept);
    if (!known) return this.#manifests.head(repository, reference, options);
    return this.#unlessLimited(known, async () => {
      const head = await this.#look(repository, reference, options);
      // The client would go on to GET the new one, and that is what little is left for.
      const isNew = head !== undefined && !this.#memory.content(repository, head.digest);
      if (this.#isLow && (isNew || !head)) return this.#lastKnown(known);
      return head ?? this.#manifests.head(repository, reference, options);
    });
  }

  get #isLow(): boolean {
    return this.#dependencies.accounts.remaining < this.#dependencies.floor;
  }

  /** By HEAD alone. What the registry no longer has is forgotten. */
  async #look(
    repository: RepositoryName,
    reference: Reference,
    options: ManifestOptions,
  ): Promise<ManifestHead | undefined> {
    try {
      return await this.#manifests.look(repository, reference, options);
    } catch (error) {
      if (error instanceof UpstreamError && error.kind === 'not-found') {
        this.#memory.forget(repository, reference, options.accept);
      }
      throw error;
    }
  }

  async #fetch(
    repository: RepositoryName,
    reference: Reference,
    options: ManifestOptions,
  ): Promise<Manifest> {
    const manifest = await this.#manifests.get(repository, reference, options);
    if (this.#dependencies.accounts.isCounted) {
      this.#memory.seen(repository, reference, options.accept, manifest);
    }
    return manifest;
  }

  async #unlessLimited<T extends ManifestHead>(
    known: LastKnown,
    ask: () => Promise<T>,
  ): Promise<T | Manifest> {
    try {
      return await ask();
    } catch (error) {
      const isLimited = error instanceof UpstreamError && error.kind === 'rate-limited';
      if (!isLimited || this.#dependencies.floor === 0) throw error;
      return this.#lastKnown(known);
    }
  }

  #lastKnown({ manifest, seenAt }: LastKnown): Manifest {
    this.#dependencies.onLastKnown();
    const ageSeconds = Math.max(0, Math.floor((this.#dependencies.clock.now() - seenAt) / 1000));
    return { ...manifest, ageSeconds };
  }
}
