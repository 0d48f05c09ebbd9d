import {
  type ByteRange,
  type Descriptor,
  type Digest,
  mediaTypes,
  type Reference,
  type RepositoryName,
  referenceText,
} from '../../../oci/index.ts';
import type { Logger } from '../../../telemetry/index.ts';
import { UpstreamError } from '../errors.ts';
import { page } from '../paging.ts';
import type { BlobAnswer, ManifestHead, Upstream } from '../upstream.ts';
import { verifiedBody } from '../verified-body.ts';
import type { RepositoryContent } from './catalogue.ts';
import { createCatalogueReader } from './catalogue-reader.ts';
import { openContent } from './content-file.ts';
import { fileStream } from './file-stream.ts';
import { readManifestFile } from './manifest-file.ts';

/**
 * An OCI image layout on disk as an upstream. It may be missing, and it may be replaced at any time: every call
 * looks at what is there now. Images are named by their annotations, see {@link parseImageName}.
 * @param folder absolute path of the folder with `oci-layout`, `index.json` and `blobs`
 * @see OCI image specification, "OCI Image Layout"
 */
export function createLayoutUpstream(
  name: string,
  folder: string,
  dependencies: { readonly log: Logger },
): Upstream {
  const catalogues = createCatalogueReader(folder, dependencies.log.child({ upstream: name }));

  const contentOf = async (repository: RepositoryName, signal: AbortSignal): Promise<RepositoryContent> => {
    const content = (await catalogues.current(signal)).repositories.get(repository);
    if (!content) throw new UpstreamError('not-found', `the layout has no repository ${repository}`);
    return content;
  };

  const findManifest = async (repository: RepositoryName, reference: Reference, signal: AbortSignal) => {
    const { tags, manifests } = await contentOf(repository, signal);
    const found = reference.type === 'tag' ? tags.get(reference.tag) : manifests.get(reference.digest);
    return found ?? notFound(repository, referenceText(reference));
  };

  const findBlob = async (repository: RepositoryName, digest: Digest, signal: AbortSignal) => {
    const sizeBytes = (await contentOf(repository, signal)).blobs.get(digest);
    if (sizeBytes === undefined) return notFound(repository, digest);
    await requireFile(folder, digest, sizeBytes);
    signal.throwIfAborted();
    return sizeBytes;
  };

  return {
    name,

    manifest: async (repository, reference, { signal }) => {
      const descriptor = await findManifest(repository, reference, signal);
      const { content } = await readManifestFile(folder, descriptor, signal);
      return { ...manifestHead(descriptor), content };
    },

    manifestHead: async (repository, reference, { signal }) => {
      const descriptor = await findManifest(repository, reference, signal);
      await requireFile(folder, descriptor.digest, descriptor.size);
      signal.throwIfAborted();
      return manifestHead(descriptor);
    },

    blob: async (repository, digest, { signal, range }) =>
      blobAnswer(folder, digest, await findBlob(repository, digest, signal), range, signal),

    blobHead: async (repository, digest, { signal }) => ({
      sizeBytes: await findBlob(repository, digest, signal),
      mediaType: mediaTypes.OCTET_STREAM,
    }),

    tags: async (repository, { signal, query }) => {
      const { tags } = await contentOf(repository, signal);
      const { items, next } = page([...tags.keys()].sort(), String, query);
      return { tags: items, next };
    },

    referrers: async (repository, subject, { signal, query, artifactType }) => {
      const all = (await contentOf(repository, signal)).referrers.get(subject) ?? [];
      const wanted = all.filter((entry) => artifactType === undefined || entry.artifactType === artifactType);
      const sorted = wanted.sort((a, b) => (a.digest < b.digest ? -1 : 1));
      const { items, next } = page(sorted, ({ digest }) => digest, query);
      return { manifests: items, filtered: artifactType !== undefined, next };
    },

    catalog: async ({ signal, query }) => {
      const { repositories } = await catalogues.current(signal);
      const { items, next } = page([...repositories.keys()].sort(), String, query);
      return { repositories: items, next };
    },

    close: async () => catalogues.close(),
  };
}

function manifestHead({ digest, mediaType, size }: Descriptor): ManifestHead {
  return { digest, mediaType, sizeBytes: size };
}

/** @throws {UpstreamError} when the file is not there in its full size; its bytes are checked when they are read */
async function requireFile(folder: string, digest: Digest, sizeBytes: number): Promise<void> {
  const { handle } = await openContent(folder, digest, sizeBytes);
  await handle.close();
}

function blobAnswer(
  folder: string,
  digest: Digest,
  sizeBytes: number,
  range: ByteRange | undefined,
  signal: AbortSignal,
): BlobAnswer {
  const start = range?.start ?? 0;
  const end = Math.min(range?.end ?? Infinity, sizeBytes - 1);
  if (range && start >= sizeBytes) throw new UpstreamError('range', `${digest} has only ${sizeBytes} bytes`);
  // The file is opened by the body itself, so that a body which nobody reads holds nothing.
  const body = fileStream(
    async () => (await openContent(folder, digest, sizeBytes)).handle,
    { start, end },
    signal,
  );
  const isWhole = end - start + 1 === sizeBytes;
  return {
    type: 'content',
    sizeBytes,
    part: range && { start, end },
    mediaType: mediaTypes.OCTET_STREAM,
    body: isWhole ? verifiedBody(body, digest, sizeBytes) : body,
  };
}

function notFound(repository: RepositoryName, what: string): never {
  throw new UpstreamError('not-found', `the layout has no ${what} in ${repository}`);
}
