import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import type { Clock } from '../../../core/index.ts';
import { ImageServiceError, STATUS } from '../errors.ts';
import { type ImageFsInfoResponse, ImageFsInfoResponseSchema } from '../gen/runtime/v1/image_pb.ts';
import { type EngineInfo, engineInfo, readAnswer } from './answers.ts';
import type { Engine } from './engine.ts';
import { awayWhileFailing } from './errors.ts';
import { listSummaries } from './list.ts';
import type { DockerBackendOptions } from './options.ts';
import { createSingleFlight } from './single-flight.ts';

/** Where images are kept, and how much of it they take. */
export interface ImageFilesystem {
  /**
   * From the last 30 s.
   * @throws UNAVAILABLE while Docker Engine does not answer or only with errors of its own, so that whoever keeps answers gives an old one
   */
  info(signal: AbortSignal): Promise<ImageFsInfoResponse>;
  close(): void;
}

const KEPT_MS = 30_000;
const NANOSECONDS_PER_MILLISECOND = 1_000_000n;
/** Of the containerd that the image store of Docker Engine may be in, when it is the system's own. */
const SYSTEM_CONTAINERD = '/run/containerd/containerd.sock';
const SYSTEM_CONTAINERD_ROOT = '/var/lib/containerd';
const CONTAINERD_IMAGE_STORE = 'io.containerd.snapshotter.v1';

export function createImageFilesystem(
  engine: Engine,
  { hostRoot, imageDirectory }: Pick<DockerBackendOptions, 'hostRoot' | 'imageDirectory'>,
  { clock }: { readonly clock: Clock },
): ImageFilesystem {
  const flight = createSingleFlight<ImageFsInfoResponse>();
  let last: { readonly at: number; readonly response: ImageFsInfoResponse } | undefined;

  async function measure(signal: AbortSignal): Promise<ImageFsInfoResponse> {
    const mountpoint = imageDirectory ?? (await askForDirectory(signal));
    const { usedBytes, usedInodes } = await usageOf(join(hostRoot, mountpoint));
    const images = await listSummaries(engine, {}, signal);
    let takenByImages = images.reduce(
      (sum, { Size }) => sum + BigInt(Math.max(0, Math.trunc(Size ?? 0))),
      0n,
    );
    // Layers that images share count once for each, so the sum may be more than there is.
    if (takenByImages > usedBytes) takenByImages = usedBytes;
    const at = clock.now();
    const response = create(ImageFsInfoResponseSchema, {
      imageFilesystems: [
        {
          timestamp: BigInt(at) * NANOSECONDS_PER_MILLISECOND,
          fsId: { mountpoint },
          usedBytes: { value: takenByImages },
          inodesUsed: { value: usedInodes },
        },
      ],
    });
    last = { at, response };
    return response;
  }

  async function askForDirectory(signal: AbortSignal): Promise<string> {
    const info = readAnswer(
      engineInfo,
      await engine.json({ method: 'GET', path: '/info', signal }),
      'itself',
    );
    return imageDirectoryOf(info);
  }

  return {
    async info(signal) {
      if (last && clock.now() - last.at < KEPT_MS) return last.response;
      try {
        return await flight.run('', signal, measure);
      } catch (error) {
        signal.throwIfAborted();
        throw awayWhileFailing(error);
      }
    },
    close: () => flight.close(),
  };
}

function imageDirectoryOf({ DockerRootDir, DriverStatus, Containerd }: EngineInfo): string {
  const inContainerd = DriverStatus?.some((pair) => pair.includes(CONTAINERD_IMAGE_STORE)) ?? false;
  return inContainerd && Containerd?.Address === SYSTEM_CONTAINERD ? SYSTEM_CONTAINERD_ROOT : DockerRootDir;
}

async function usageOf(path: string): Promise<{ usedBytes: bigint; usedInodes: bigint }> {
  try {
    const { blocks, bfree, bsize, files, ffree } = await statfs(path, { bigint: true });
    return { usedBytes: (blocks - bfree) * bsize, usedInodes: files - ffree };
  } catch (cause) {
    throw new ImageServiceError(
      STATUS.FAILED_PRECONDITION,
      `${path}, where the images are, can't be looked at; in a container, mount the node's root folder and name it in backend.hostRoot`,
      { cause },
    );
  }
}
