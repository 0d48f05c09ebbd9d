import type { ByteStream } from '../../core/index.ts';
import type { ByteRange, Descriptor, Digest, Reference, RepositoryName } from '../../oci/index.ts';
import type { PushTarget } from './push-target.ts';

/**
 * A registry that content comes from. The registry's handlers, and a cache in front of it, know an upstream
 * only by this interface; names are the upstream's own. Every method rejects with an {@link UpstreamError}
 * or, when the signal ends it, with the signal's reason.
 */
export interface Upstream {
  /** The key in the configuration. */
  readonly name: string;
  manifest(repository: RepositoryName, reference: Reference, options: ManifestOptions): Promise<Manifest>;
  /** Like {@link manifest}, without the content. */
  manifestHead(
    repository: RepositoryName,
    reference: Reference,
    options: ManifestOptions,
  ): Promise<ManifestHead>;
  blob(repository: RepositoryName, digest: Digest, options: BlobOptions): Promise<BlobAnswer>;
  blobHead(repository: RepositoryName, digest: Digest, options: CallOptions): Promise<BlobHead>;
  tags(repository: RepositoryName, options: PageOptions): Promise<TagPage>;
  /** Falls back to the referrers tag schema where the registry lacks the API. */
  referrers(repository: RepositoryName, subject: Digest, options: ReferrersOptions): Promise<ReferrersPage>;
  /** One page of repository names. Rejects with `unsupported` where the registry keeps them to itself. */
  catalog(options: PageOptions): Promise<CatalogPage>;
  /** Its writing side; missing where it has none, as a layout. */
  readonly push?: PushTarget;
  /** Ends connections. Bodies that still flow are not cut; they free their connection when they end. */
  close(): Promise<void>;
}

export interface CallOptions {
  /** Aborted when the client has gone away or the proxy has to end. */
  readonly signal: AbortSignal;
}

export interface ManifestOptions extends CallOptions {
  /** Media types the client accepts, passed on as they are; empty means every known kind. */
  readonly accept: readonly string[];
}

export interface ManifestHead {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly sizeBytes: number;
  /**
   * Only there when the upstream could not be asked, to spare its rate limit, and this is what was last known: seconds
   * since the upstream itself said so.
   */
  readonly ageSeconds?: number;
}

export interface Manifest extends ManifestHead {
  /** The exact bytes that the digest is over. */
  readonly content: Buffer;
}

export interface BlobOptions extends CallOptions {
  readonly range?: ByteRange;
  /** `redirect`: the upstream's own redirect to its storage is handed back instead of followed. */
  readonly delivery: 'stream' | 'redirect';
}

export interface BlobHead {
  readonly sizeBytes: number;
  readonly mediaType: string;
}

export type BlobAnswer =
  | {
      readonly type: 'content';
      /** Size of the whole blob where the upstream says it. */
      readonly sizeBytes: number | undefined;
      /** What the body holds when it is only a part. Both ends inclusive. */
      readonly part: { readonly start: number; readonly end: number } | undefined;
      readonly mediaType: string;
      /** Ends cleanly only when every byte came and, for a whole blob, the digest was right. */
      readonly body: ByteStream;
    }
  | { readonly type: 'redirect'; readonly location: string };

/**
 * Where a page starts: the query of a listing. `n` and `last` are the protocol's; other parameters are an
 * upstream's own paging state, carried through the client untouched.
 */
export interface PageOptions extends CallOptions {
  readonly query: URLSearchParams;
}

export interface TagPage {
  readonly tags: readonly string[];
  /** The query that asks for the next page. */
  readonly next: URLSearchParams | undefined;
}

export interface CatalogPage {
  readonly repositories: readonly RepositoryName[];
  readonly next: URLSearchParams | undefined;
}

export interface ReferrersOptions extends PageOptions {
  readonly artifactType: string | undefined;
}

export interface ReferrersPage {
  readonly manifests: readonly Descriptor[];
  /** Whether the upstream has already filtered by artifact type. */
  readonly filtered: boolean;
  readonly next: URLSearchParams | undefined;
}
