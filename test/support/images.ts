import { createBlob, createLargeLayer, createLayer, type Layer } from './layers.ts';
import { type PushTarget, pushBlob, pushManifest, pushStreamedBlob } from './push.ts';

const MEDIA_TYPES = {
  oci: {
    index: 'application/vnd.oci.image.index.v1+json',
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  },
  docker: {
    index: 'application/vnd.docker.distribution.manifest.list.v2+json',
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  },
} as const;
const PLAIN_TAR = 'application/vnd.oci.image.layer.v1.tar';

/** What kind of image to push. */
export interface ImageOptions {
  /** 1 when missing. */
  readonly layers?: number;
  /** Size of the file in each layer; 64 KiB when missing. */
  readonly layerSizeBytes?: number;
  /** Such as `linux/amd64`. With more than one, the tag names an index. */
  readonly platforms?: readonly string[];
  readonly mediaTypes?: keyof typeof MEDIA_TYPES;
  /** `config` of the image's configuration, such as its `User`. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** One platform's image. */
export interface PushedManifest {
  readonly platform: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly config: string;
  readonly layers: readonly string[];
}

/** What was pushed. */
export interface PushedImage {
  /** Digest of what the tag names: the index, or the only manifest. */
  readonly digest: string;
  readonly mediaType: string;
  readonly manifests: readonly PushedManifest[];
}

/** The platform that clients on this machine ask for. */
export const HOST_PLATFORM = process.arch === 'arm64' ? 'linux/arm64' : 'linux/amd64';

/** Builds an image of random bytes that clients can unpack, and pushes it. */
export async function pushImage(
  target: PushTarget,
  repository: string,
  tag: string,
  options: ImageOptions = {},
): Promise<PushedImage> {
  const { layers = 1, layerSizeBytes = 64 * 1024, platforms = [HOST_PLATFORM] } = options;
  const types = MEDIA_TYPES[options.mediaTypes ?? 'oci'];
  const manifests: PushedManifest[] = [];
  for (const platform of platforms) {
    const content: Layer[] = [];
    for (let number = 1; number <= layers; number++) {
      content.push(createLayer(`layer-${number}.bin`, layerSizeBytes));
    }
    await Promise.all(content.map((layer) => pushBlob(target, repository, layer)));
    const single = platforms.length === 1;
    const descriptors = content.map(({ digest, bytes }) => ({
      mediaType: types.layer,
      digest,
      size: bytes.length,
    }));
    const diffIds = content.map(({ diffId }) => diffId);
    manifests.push(
      await pushOneManifest(target, repository, single ? tag : undefined, {
        platform,
        types,
        descriptors,
        diffIds,
        ...(options.config && { config: options.config }),
      }),
    );
  }
  const [only] = manifests;
  if (only && manifests.length === 1) {
    return { digest: only.digest, mediaType: types.manifest, manifests };
  }
  const index = JSON.stringify({
    schemaVersion: 2,
    mediaType: types.index,
    manifests: manifests.map(({ platform, digest, sizeBytes }) => ({
      mediaType: types.manifest,
      digest,
      size: sizeBytes,
      platform: platformObject(platform),
    })),
  });
  const digest = await pushManifest(target, repository, index, types.index, tag);
  return { digest, mediaType: types.index, manifests };
}

/** Pushes an image whose only layer has `sizeBytes`; the layer is made while it is sent. */
export async function pushLargeImage(
  target: PushTarget,
  repository: string,
  tag: string,
  sizeBytes: number,
): Promise<PushedImage> {
  const layer = createLargeLayer('large.bin', sizeBytes);
  const digest = await pushStreamedBlob(target, repository, layer);
  const manifest = await pushOneManifest(target, repository, tag, {
    platform: HOST_PLATFORM,
    types: MEDIA_TYPES.oci,
    descriptors: [{ mediaType: PLAIN_TAR, digest, size: layer.sizeBytes }],
    diffIds: [digest],
  });
  return { digest: manifest.digest, mediaType: MEDIA_TYPES.oci.manifest, manifests: [manifest] };
}

async function pushOneManifest(
  target: PushTarget,
  repository: string,
  tag: string | undefined,
  image: {
    readonly platform: string;
    readonly types: (typeof MEDIA_TYPES)[keyof typeof MEDIA_TYPES];
    readonly descriptors: readonly { mediaType: string; digest: string; size: number }[];
    readonly diffIds: readonly string[];
    readonly config?: Readonly<Record<string, unknown>>;
  },
): Promise<PushedManifest> {
  const { platform, types, descriptors, diffIds } = image;
  const config = createBlob(
    JSON.stringify({
      ...platformObject(platform),
      config: image.config ?? {},
      rootfs: { type: 'layers', diff_ids: diffIds },
    }),
  );
  await pushBlob(target, repository, config);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { mediaType: types.config, digest: config.digest, size: config.bytes.length },
    layers: descriptors,
  });
  const digest = await pushManifest(target, repository, manifest, types.manifest, tag);
  return {
    platform,
    digest,
    sizeBytes: Buffer.byteLength(manifest),
    config: config.digest,
    layers: descriptors.map((descriptor) => descriptor.digest),
  };
}

function platformObject(platform: string) {
  const [os = '', architecture = '', variant] = platform.split('/');
  return { os, architecture, ...(variant !== undefined && { variant }) };
}
