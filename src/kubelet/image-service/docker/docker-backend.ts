import { create } from '@bufbuild/protobuf';
import { type Clock, createAbortScope, fingerprint } from '../../../core/index.ts';
import type { AuthConfig } from '../auth-config.ts';
import { ImageServiceError, STATUS } from '../errors.ts';
import {
  ImageStatusResponseSchema,
  ListImagesResponseSchema,
  PullImageResponseSchema,
  RemoveImageResponseSchema,
} from '../gen/runtime/v1/image_pb.ts';
import type { Call, ImageService } from '../image-service.ts';
import { createEngine } from './engine.ts';
import { awayWhileFailing, inKubeletsWords } from './errors.ts';
import { createImageFilesystem } from './image-filesystem.ts';
import { inspectMessage, summaryMessage, verboseInfo } from './image-message.ts';
import { findImage, listSummaries } from './list.ts';
import type { DockerBackendOptions } from './options.ts';
import { pullImage } from './pull.ts';
import { removeImage } from './remove.ts';
import { createSingleFlight } from './single-flight.ts';

/** A reference that nothing has. */
const NO_IMAGE = 'probe.invalid/none';

export interface DockerBackendDependencies {
  readonly clock: Clock;
}

/** The image service of Docker Engine. It connects when it is first asked, and again for each call. */
export function createDockerBackend(
  options: DockerBackendOptions,
  { clock }: DockerBackendDependencies,
): ImageService {
  const engine = createEngine(options.socket);
  const filesystem = createImageFilesystem(engine, options, { clock });
  const pulls = createSingleFlight<string>();
  const calls = createAbortScope();
  const { pinnedImages } = options;

  /** What a method throws, in kubelet's words; an abort keeps its reason. */
  function answer<T>(call: Call, method: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return calls.run(call.signal, (signal) =>
      method(signal).catch((error: unknown) => {
        signal.throwIfAborted();
        throw inKubeletsWords(error);
      }),
    );
  }

  /** @returns the image's id */
  async function pull(image: string, auth: AuthConfig | undefined, signal: AbortSignal): Promise<string> {
    await pullImage(engine, image, auth, { clock, signal });
    const pulled = await findImage(engine, image, signal);
    if (pulled) return pulled.Id;
    throw new ImageServiceError(
      STATUS.UNKNOWN,
      `Docker Engine has pulled ${image} and does not have it; was it removed meanwhile?`,
    );
  }

  return {
    listImages: (request, call) =>
      answer(call, async (signal) => {
        const image = request.filter?.image?.image ?? '';
        const summaries = await listSummaries(engine, { image }, signal).catch((error: unknown) => {
          throw awayWhileFailing(error);
        });
        const images = summaries.map((summary) => summaryMessage(summary, pinnedImages));
        return create(ListImagesResponseSchema, { images });
      }),
    imageStatus: (request, call) =>
      answer(call, async (signal) => {
        const found = await findImage(engine, request.image?.image ?? '', signal);
        if (!found) return create(ImageStatusResponseSchema);
        const image = inspectMessage(found, pinnedImages);
        return create(ImageStatusResponseSchema, { image, info: request.verbose ? verboseInfo(found) : {} });
      }),
    pullImage: (request, call) =>
      answer(call, async (signal) => {
        const image = request.image?.image ?? '';
        const { auth } = request;
        // A kubelet that has been restarted asks again for what is on its way.
        const key = fingerprint([image, auth && { ...auth }]);
        const imageRef = await pulls.run(key, signal, (shared) => pull(image, auth, shared));
        return create(PullImageResponseSchema, { imageRef });
      }),
    removeImage: (request, call) =>
      answer(call, async (signal) => {
        await removeImage(engine, request.image?.image ?? '', signal);
        return create(RemoveImageResponseSchema);
      }),
    imageFsInfo: (_request, call) => answer(call, (signal) => filesystem.info(signal)),
    probe: (call) =>
      answer(call, async (signal) => {
        // It tells its version before it knows its images.
        await listSummaries(engine, { image: NO_IMAGE }, signal);
      }),
    async close() {
      calls.abort(new ImageServiceError(STATUS.UNAVAILABLE, 'the image service is closing'));
      pulls.close();
      filesystem.close();
    },
  };
}
