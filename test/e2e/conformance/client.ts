import { randomBytes } from 'node:crypto';
import { type Blob, createBlob, digestOf } from '../../support/layers.ts';

/** Where the cases are run: a registry, a repository of it, and another to mount from. */
export interface Place {
  /** Such as `http://127.0.0.1:5000`. */
  readonly url: string;
  readonly repository: string;
  readonly otherRepository: string;
  authorization(): Promise<string>;
}

export interface Ask {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | undefined;
  readonly repository?: string;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
  /** Code of the first error in the body. */
  readonly code: string | undefined;
  /** `Location`, as an absolute URL. */
  readonly location: string;
}

export interface Manifest extends Blob {
  readonly mediaType: string;
}

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const OCTETS = 'application/octet-stream';

/** A client that does one request at a time, and leaves out no header that the specification asks for. */
export class ConformanceClient {
  readonly place: Place;

  constructor(place: Place) {
    this.place = place;
  }

  /** @param path below the repository, such as `manifests/v1`, or a URL that an answer gave */
  async ask(method: string, path: string, { headers, body, repository }: Ask = {}): Promise<Answered> {
    const below = `${this.place.url}/v2/${repository ?? this.place.repository}/${path}`;
    const url = /^https?:/.test(path) ? path : below;
    const answer = await fetch(url, {
      method,
      redirect: 'manual',
      headers: { authorization: await this.place.authorization(), ...headers },
      ...(body && { body: new Uint8Array(body) }),
    });
    const content = Buffer.from(await answer.arrayBuffer());
    return {
      status: answer.status,
      headers: answer.headers,
      body: content,
      code: errorCode(content),
      location: new URL(answer.headers.get('location') ?? '', this.place.url).href,
    };
  }

  startUpload(query = ''): Promise<Answered> {
    return this.ask('POST', `blobs/uploads/${query}`);
  }

  sendChunk(location: string, bytes: Buffer, start?: number): Promise<Answered> {
    return this.ask('PATCH', location, {
      headers: {
        'content-type': OCTETS,
        ...(start !== undefined && { 'content-range': `${start}-${start + bytes.length - 1}` }),
      },
      body: bytes,
    });
  }

  finish(location: string, digest: string, body?: Buffer): Promise<Answered> {
    return this.ask('PUT', withDigest(location, digest), { headers: { 'content-type': OCTETS }, body });
  }

  /** A blob in one piece. */
  async pushBlob(blob: Blob, repository = this.place.repository): Promise<Answered> {
    const { location } = await this.ask('POST', 'blobs/uploads/', { repository });
    return this.finish(location, blob.digest, blob.bytes);
  }

  putManifest(reference: string, manifest: Manifest): Promise<Answered> {
    return this.ask('PUT', `manifests/${reference}`, {
      headers: { 'content-type': manifest.mediaType },
      body: manifest.bytes,
    });
  }

  getManifest(reference: string, method: 'GET' | 'HEAD' = 'GET'): Promise<Answered> {
    return this.ask(method, `manifests/${reference}`, {
      headers: { accept: `${OCI_INDEX}, ${OCI_MANIFEST}` },
    });
  }

  /** An image whose blobs are there, not pushed itself. */
  async prepareManifest(more: object = {}): Promise<Manifest> {
    const config = randomBlob(64);
    const layer = randomBlob(512);
    await this.pushBlob(config);
    await this.pushBlob(layer);
    return manifestOf(config, [layer], more);
  }

  async pushImage(tag: string, more: object = {}): Promise<Manifest> {
    const manifest = await this.prepareManifest(more);
    await this.putManifest(tag, manifest);
    return manifest;
  }
}

export function randomBlob(sizeBytes: number): Blob {
  return createBlob(randomBytes(sizeBytes));
}

export function manifestOf(config: Blob, layers: readonly Blob[], more: object = {}): Manifest {
  const describe = ({ digest, bytes }: Blob, mediaType: string) => ({
    mediaType,
    digest,
    size: bytes.length,
  });
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: describe(config, 'application/vnd.oci.image.config.v1+json'),
      layers: layers.map((layer) => describe(layer, 'application/vnd.oci.image.layer.v1.tar+gzip')),
      ...more,
    }),
  );
  return { bytes, digest: digestOf(bytes), mediaType: OCI_MANIFEST };
}

export function indexOf(manifests: readonly Manifest[], more: object = {}): Manifest {
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: manifests.map(({ digest, mediaType, bytes: { length } }) => ({
        mediaType,
        digest,
        size: length,
      })),
      ...more,
    }),
  );
  return { bytes, digest: digestOf(bytes), mediaType: OCI_INDEX };
}

/** What a client adds to the URL it was given, which may have a query already. */
export function withDigest(location: string, digest: string): string {
  const url = new URL(location);
  url.searchParams.append('digest', digest);
  return url.href;
}

function errorCode(content: Buffer): string | undefined {
  try {
    return (JSON.parse(content.toString()) as { errors?: { code?: string }[] }).errors?.[0]?.code;
  } catch {
    return undefined;
  }
}
