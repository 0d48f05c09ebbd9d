import {
  type Digest,
  digestAlgorithm,
  parseDigest,
  type Reference,
  type RepositoryName,
  referenceText,
  type Tag,
} from '../../../../oci/index.ts';
import { UpstreamError } from '../../errors.ts';
import type { PushedManifest, StoredManifest } from '../../push-target.ts';
import type { CallOptions } from '../../upstream.ts';
import type { SmallAnswer } from '../answers/index.ts';
import { manifestType } from '../content/index.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Exchange } from '../exchange.ts';
import { type Meanings, pushError } from './push-error.ts';

const MAXIMUM_ANSWER_BYTES = 64 * 1024;
/** An index with many images is checked image by image. */
const ANSWER_TIMEOUT_MS = 120_000;
const STORING: Meanings = { badRequest: 'MANIFEST_INVALID', notFound: 'NAME_UNKNOWN' };
const DELETING_MANIFEST: Meanings = { badRequest: 'UNSUPPORTED', notFound: 'MANIFEST_UNKNOWN' };
const DELETING_BLOB: Meanings = { badRequest: 'UNSUPPORTED', notFound: 'BLOB_UNKNOWN' };

/** Manifests that are stored, and content that is deleted. */
export class ContentWriter {
  readonly #endpoint: Endpoint;
  readonly #exchange: Exchange;

  constructor(endpoint: Endpoint, exchange: Exchange) {
    this.#endpoint = endpoint;
    this.#exchange = exchange;
  }

  /**
   * Tags that the registry does not say it has set (`OCI-Tag`) are set one by one, as it was done before it could be asked
   * for at once.
   * @see OCI distribution specification 1.1, "Pushing manifests"
   */
  async putManifest(
    repository: RepositoryName,
    reference: Reference,
    manifest: PushedManifest,
    options: CallOptions,
  ): Promise<StoredManifest> {
    requireClear(manifest);
    const answer = await this.#put(repository, reference, manifest, manifest.tags, options);
    const set = new Set(answer.headers.all('oci-tag').flatMap((value) => value.split(/ *, */)));
    for (const tag of manifest.tags) {
      if (!set.has(tag)) await this.#put(repository, { type: 'tag', tag }, manifest, [], options);
    }
    return { subject: parseDigest(answer.headers.get('oci-subject') ?? '') };
  }

  /** A tag goes alone, where the registry can do that; a manifest with everything that names it. */
  async deleteManifest(
    repository: RepositoryName,
    reference: Reference,
    options: CallOptions,
  ): Promise<void> {
    const url = this.#endpoint.manifest(repository, reference);
    const what = `to delete ${referenceText(reference)} of ${repository}`;
    const answer = await this.#delete(repository, url, options);
    if (isSuccess(answer)) return;
    if (answer.status !== 400 || reference.type !== 'tag') throw pushError(answer, what, DELETING_MANIFEST);
    // Registries that delete by digest only complain of anything here: of the digest, or of the name.
    throw new UpstreamError('rejected', `asked ${what}, answered ${answer.status}`, {
      rejection: { code: 'UNSUPPORTED', status: 405 },
    });
  }

  async deleteBlob(repository: RepositoryName, digest: Digest, options: CallOptions): Promise<void> {
    const answer = await this.#delete(repository, this.#endpoint.blob(repository, digest), options);
    if (!isSuccess(answer)) throw pushError(answer, `to delete ${digest} of ${repository}`, DELETING_BLOB);
  }

  async #put(
    repository: RepositoryName,
    reference: Reference,
    { content, mediaType, digest }: PushedManifest,
    tags: readonly Tag[],
    { signal }: CallOptions,
  ): Promise<SmallAnswer> {
    const query = new URLSearchParams(tags.map((tag): [string, string] => ['tag', tag]));
    const answer = await this.#exchange.small({
      method: 'PUT',
      url: this.#endpoint.manifest(repository, reference, query),
      scope: this.#endpoint.pushScope(repository),
      headers: { 'content-type': mediaType },
      body: content,
      limitBytes: MAXIMUM_ANSWER_BYTES,
      answerTimeoutMs: ANSWER_TIMEOUT_MS,
      signal,
    });
    const what = `to store the manifest ${referenceText(reference)} of ${repository}`;
    if (!isSuccess(answer)) throw pushError(answer, what, STORING);
    const stored = parseDigest(answer.headers.get('docker-content-digest') ?? '');
    if (stored && digestAlgorithm(stored) === digestAlgorithm(digest) && stored !== digest) {
      throw new UpstreamError('faulty', `asked ${what}, and it was stored as ${stored}, not ${digest}`);
    }
    return answer;
  }

  #delete(repository: RepositoryName, url: URL, { signal }: CallOptions): Promise<SmallAnswer> {
    return this.#exchange.small({
      method: 'DELETE',
      url,
      scope: this.#endpoint.deleteScope(repository),
      limitBytes: MAXIMUM_ANSWER_BYTES,
      once: true,
      signal,
    });
  }
}

function isSuccess({ status }: SmallAnswer): boolean {
  return status >= 200 && status <= 299;
}

/** What can be read as two kinds of manifest could not be pulled again: see {@link manifestType}. */
function requireClear({ content, mediaType }: PushedManifest): void {
  try {
    manifestType(content, mediaType);
  } catch (error) {
    throw new UpstreamError('rejected', 'a manifest is not clear', {
      cause: error,
      rejection: { code: 'MANIFEST_INVALID', status: 400 },
    });
  }
}
