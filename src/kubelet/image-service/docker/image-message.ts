import { create } from '@bufbuild/protobuf';
import { parseImageReference } from '../../../oci/index.ts';
import type { ImagePattern } from '../credentials/index.ts';
import { type Image, ImageSchema, Int64ValueSchema } from '../gen/runtime/v1/image_pb.ts';
import type { ImageInspect, ImageSummary } from './answers.ts';
import { realNames } from './image-name.ts';
import { parseImageUser } from './image-user.ts';

/** An image of the list. What only an inspection shows, its user, is left out, as every runtime does. */
export function summaryMessage(summary: ImageSummary, pinned: readonly ImagePattern[]): Image {
  const repoTags = realNames(summary.RepoTags);
  const repoDigests = realNames(summary.RepoDigests);
  return create(ImageSchema, {
    id: summary.Id,
    repoTags,
    repoDigests,
    size: sizeOf(summary),
    spec: { image: summary.Id },
    pinned: [...repoTags, ...repoDigests].some((name) => isPinned(name, pinned)),
  });
}

export function inspectMessage(inspect: ImageInspect, pinned: readonly ImagePattern[]): Image {
  const image = summaryMessage(inspect, pinned);
  const { uid, username } = parseImageUser(inspect.Config?.User ?? '');
  if (uid !== undefined) image.uid = create(Int64ValueSchema, { value: uid });
  if (username !== undefined) image.username = username;
  return image;
}

/** Kubelet takes an image without a size for a mistake, and one that is made from scratch may have none. */
function sizeOf({ Size }: ImageSummary): bigint {
  return BigInt(Math.max(1, Math.trunc(Size ?? 0)));
}

function isPinned(name: string, pinned: readonly ImagePattern[]): boolean {
  const reference = parseImageReference(name);
  return reference !== undefined && pinned.some((pattern) => pattern.matches(reference));
}

/** `info` of a verbose ImageStatus: labels, and the image's configuration in the words of the OCI image specification. */
export function verboseInfo(inspect: ImageInspect): Record<string, string> {
  const { Id, Created, Author, Architecture, Variant, Os, Config, RootFS } = inspect;
  const info = {
    id: Id,
    labels: Config?.Labels ?? {},
    imageSpec: {
      created: Created ?? undefined,
      author: Author || undefined,
      architecture: Architecture ?? undefined,
      variant: Variant || undefined,
      os: Os ?? undefined,
      config: Config ?? {},
      rootfs: { type: RootFS?.Type ?? 'layers', diff_ids: RootFS?.Layers ?? [] },
    },
  };
  return { info: JSON.stringify(info) };
}
