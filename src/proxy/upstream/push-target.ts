import type { ByteStream } from '../../core/index.ts';
import type { Digest, Reference, RepositoryName, Tag } from '../../oci/index.ts';
import type { CallOptions } from './upstream.ts';

/**
 * The writing side of an upstream. Nothing of it is remembered here: an upload is where its session says. Every method
 * rejects as those of {@link Upstream} do, and with `rejected` for what the registry will not take.
 */
export interface PushTarget {
  /** Begins an upload; the session that comes back is where it goes on. */
  startUpload(repository: RepositoryName, options: StartOptions): Promise<StartedUpload>;
  uploadProgress(session: UploadSession, options: CallOptions): Promise<UploadProgress>;
  sendChunk(session: UploadSession, chunk: Chunk, options: CallOptions): Promise<UploadProgress>;
  /** Ends an upload. The registry checks the digest over everything that was sent. */
  finishUpload(
    session: UploadSession,
    digest: Digest,
    lastChunk: Chunk | undefined,
    options: CallOptions,
  ): Promise<void>;
  cancelUpload(session: UploadSession, options: CallOptions): Promise<void>;
  putManifest(
    repository: RepositoryName,
    reference: Reference,
    manifest: PushedManifest,
    options: CallOptions,
  ): Promise<StoredManifest>;
  deleteManifest(repository: RepositoryName, reference: Reference, options: CallOptions): Promise<void>;
  deleteBlob(repository: RepositoryName, digest: Digest, options: CallOptions): Promise<void>;
}

export interface StartOptions extends CallOptions {
  /** A blob that may be taken over from another repository of this upstream instead. */
  readonly mount?: { readonly digest: Digest; readonly from: RepositoryName } | undefined;
  /** Of the digest that the client will ask for, where that is not SHA-256. */
  readonly algorithm?: string | undefined;
}

export type StartedUpload =
  | { readonly type: 'started'; readonly progress: UploadProgress }
  | { readonly type: 'mounted' };

/** An upload that is under way. */
export interface UploadSession {
  readonly repository: RepositoryName;
  /** Where the registry said that it goes on. Nobody but this upstream can read it, and no client may see it. */
  readonly location: string;
}

/** How far an upload has come. */
export interface UploadProgress {
  readonly session: UploadSession;
  /** Offset of the last byte that is there; undefined where the registry does not say. */
  readonly lastByte: number | undefined;
  /** `Docker-Upload-UUID` */
  readonly uuid: string | undefined;
  /** `OCI-Chunk-Min-Length` */
  readonly minimumChunkBytes: number | undefined;
}

/** Bytes on their way from a client; they can be read once. */
export interface UploadBody {
  /** Undefined where the client does not say how many there will be. */
  readonly sizeBytes: number | undefined;
  readonly bytes: ByteStream;
}

export interface Chunk extends UploadBody {
  /** Where in the blob it lies. Both ends inclusive. */
  readonly range: { readonly start: number; readonly end: number } | undefined;
  /**
   * It follows what is there, and whatever of it comes is worth having. So the registry is not told how much to expect: a
   * chunk whose client goes away then ends there, instead of breaking the upload.
   */
  readonly mayEndEarly: boolean;
}

export interface PushedManifest {
  /** The exact bytes. */
  readonly content: Buffer;
  readonly mediaType: string;
  readonly digest: Digest;
  /** To be set besides, where the reference is a digest. */
  readonly tags: readonly Tag[];
}

export interface StoredManifest {
  /** The manifest it refers to, when the registry has taken note of that (`OCI-Subject`). */
  readonly subject: Digest | undefined;
}
