import {
  type Descriptor,
  type Digest,
  digestOf,
  mediaTypes,
  type Reference,
} from '../../../../src/oci/index.ts';
import { type BlobAnswer, type Upstream, UpstreamError } from '../../../../src/proxy/upstream/index.ts';

/** An upstream that holds what a test puts into it. Any method may be replaced by the test. */
export interface MemoryUpstream extends Upstream {
  putBlob(repository: string, content: Buffer): Digest;
  putManifest(repository: string, content: Buffer, tag?: string, mediaType?: string): Digest;
  putReferrer(repository: string, subject: Digest, descriptor: Descriptor): void;
}

export function memoryUpstream(name = 'memory', replaced: Partial<Upstream> = {}): MemoryUpstream {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<
    string,
    { digest: Digest; mediaType: string; content: Buffer; sizeBytes: number }
  >();
  const tags = new Map<string, Set<string>>();
  const referrers = new Map<string, Descriptor[]>();
  const unknown = () => new UpstreamError('not-found', 'no such thing');

  function manifestOf(repository: string, reference: Reference) {
    const manifest = manifests.get(
      `${repository}@${reference.type === 'tag' ? reference.tag : reference.digest}`,
    );
    if (!manifest) throw unknown();
    return manifest;
  }

  function blobOf(repository: string, digest: Digest) {
    const content = blobs.get(`${repository}@${digest}`);
    if (!content) throw unknown();
    return content;
  }

  return {
    name,
    manifest: async (repository, reference) => manifestOf(repository, reference),
    manifestHead: async (repository, reference) => manifestOf(repository, reference),
    async blob(repository, digest, { range }): Promise<BlobAnswer> {
      const content = blobOf(repository, digest);
      const common = {
        type: 'content',
        sizeBytes: content.length,
        mediaType: mediaTypes.OCTET_STREAM,
      } as const;
      if (!range) return { ...common, part: undefined, body: pieces(content) };
      if (range.start >= content.length) throw new UpstreamError('range', 'outside');
      const part = { start: range.start, end: Math.min(range.end ?? content.length - 1, content.length - 1) };
      return { ...common, part, body: pieces(content.subarray(part.start, part.end + 1)) };
    },
    blobHead: async (repository, digest) => ({
      sizeBytes: blobOf(repository, digest).length,
      mediaType: mediaTypes.OCTET_STREAM,
    }),
    async tags(repository, { query }) {
      const known = tags.get(repository);
      if (!known) throw unknown();
      const { page, next } = cut([...known].sort(), query);
      return { tags: page, next };
    },
    referrers: async (_repository, subject) => ({
      manifests: referrers.get(subject) ?? [],
      filtered: false,
      next: undefined,
    }),
    async catalog({ query }) {
      const { page, next } = cut([...tags.keys()].sort(), query);
      return { repositories: page as never, next };
    },
    close: async () => {},
    ...replaced,
    putBlob(repository, content) {
      const digest = digestOf(content);
      blobs.set(`${repository}@${digest}`, content);
      return digest;
    },
    putManifest(repository, content, tag, mediaType = mediaTypes.OCI_MANIFEST) {
      const digest = digestOf(content);
      const manifest = { digest, mediaType, content, sizeBytes: content.length };
      manifests.set(`${repository}@${digest}`, manifest);
      const known = tags.get(repository) ?? new Set();
      tags.set(repository, known);
      if (tag !== undefined) {
        manifests.set(`${repository}@${tag}`, manifest);
        known.add(tag);
      }
      return digest;
    },
    putReferrer(repository, subject, descriptor) {
      void repository;
      referrers.set(subject, [...(referrers.get(subject) ?? []), descriptor]);
    },
  };
}

function cut(
  all: readonly string[],
  query: URLSearchParams,
): { page: string[]; next: URLSearchParams | undefined } {
  const last = query.get('last') ?? '';
  const size = Number(query.get('n') ?? all.length);
  const rest = all.filter((entry) => entry > last);
  const page = rest.slice(0, size);
  const next =
    rest.length > size ? new URLSearchParams({ n: String(size), last: page.at(-1) ?? '' }) : undefined;
  return { page, next };
}

/** Pieces out of one memory that is used again, as a real source does. */
async function* pieces(content: Buffer): AsyncGenerator<Buffer> {
  const memory = Buffer.alloc(4096);
  for (let start = 0; start < content.length; start += memory.length) {
    const length = content.copy(memory, 0, start, start + memory.length);
    yield memory.subarray(0, length);
  }
}
