import { create } from '@bufbuild/protobuf';
import { onTestFinished } from 'vitest';
import { type Clock, systemClock } from '../../../../src/core/index.ts';
import type { AuthConfig } from '../../../../src/kubelet/image-service/auth-config.ts';
import { createDockerBackend } from '../../../../src/kubelet/image-service/docker/docker-backend.ts';
import { dockerBackendOptions } from '../../../../src/kubelet/image-service/docker/index.ts';
import {
  ImageFsInfoRequestSchema,
  ImageStatusRequestSchema,
  ListImagesRequestSchema,
  PullImageRequestSchema,
  RemoveImageRequestSchema,
} from '../../../../src/kubelet/image-service/gen/runtime/v1/image_pb.ts';
import type { ImageService } from '../../../../src/kubelet/image-service/image-service.ts';

/** The calls of an image service, without the ceremony. */
export interface Caller {
  readonly service: ImageService;
  list(image?: string): ReturnType<ImageService['listImages']>;
  status(image: string, verbose?: boolean): ReturnType<ImageService['imageStatus']>;
  /** @returns the image's reference */
  pull(image: string, auth?: AuthConfig, signal?: AbortSignal): Promise<string>;
  remove(image: string): ReturnType<ImageService['removeImage']>;
  filesystem(): ReturnType<ImageService['imageFsInfo']>;
}

export function createCaller(service: ImageService): Caller {
  const call = (signal = new AbortController().signal) => ({ signal });
  return {
    service,
    list: (image) =>
      service.listImages(
        create(ListImagesRequestSchema, image ? { filter: { image: { image } } } : {}),
        call(),
      ),
    status: (image, verbose = false) =>
      service.imageStatus(create(ImageStatusRequestSchema, { image: { image }, verbose }), call()),
    pull: async (image, auth, signal) => {
      const request = create(PullImageRequestSchema, { image: { image }, ...(auth && { auth }) });
      return (await service.pullImage(request, call(signal))).imageRef;
    },
    remove: (image) => service.removeImage(create(RemoveImageRequestSchema, { image: { image } }), call()),
    filesystem: () => service.imageFsInfo(create(ImageFsInfoRequestSchema), call()),
  };
}

/** The docker backend over a socket; it is closed after the running test. */
export function connect(
  socket: string,
  more: { clock?: Clock; options?: Record<string, unknown> } = {},
): Caller {
  const options = dockerBackendOptions.parse({ type: 'docker', socket, ...more.options });
  const service = createDockerBackend(options, { clock: more.clock ?? systemClock });
  onTestFinished(() => service.close());
  return createCaller(service);
}
