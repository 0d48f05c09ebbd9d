import { createServer } from 'node:net';
import { join } from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/core/index.ts';
import { handleCall } from '../../../src/kubelet/image-service/call-handler.ts';
import { createPullCredentials } from '../../../src/kubelet/image-service/credentials/index.ts';
import { ImageServiceError, STATUS } from '../../../src/kubelet/image-service/errors.ts';
import {
  ImageFsInfoResponseSchema,
  ImageStatusResponseSchema,
  ListImagesRequestSchema,
  ListImagesResponseSchema,
  PullImageRequestSchema,
  PullImageResponseSchema,
  RemoveImageResponseSchema,
  StreamImagesResponseSchema,
} from '../../../src/kubelet/image-service/gen/runtime/v1/image_pb.ts';
import { createGrpcServer } from '../../../src/kubelet/image-service/grpc/index.ts';
import type { ImageService } from '../../../src/kubelet/image-service/image-service.ts';
import { createLastGoodAnswers } from '../../../src/kubelet/image-service/last-good.ts';
import { listenOnSocket } from '../../../src/kubelet/image-service/listen/index.ts';
import { createImageServiceMetrics } from '../../../src/kubelet/image-service/metrics.ts';
import { createTypedBackend } from '../../../src/kubelet/image-service/typed-backend.ts';
import { createLogger } from '../../../src/telemetry/index.ts';
import { ownFolder } from '../../support/own-folder.ts';
import { createKubelet, type Kubelet, messageOf } from './support/kubelet.ts';

const IMAGES = ['one', 'two'].map((id) => ({ id, size: 1n }));

const lines: string[] = [];
const log = createLogger('info', { write: (line) => void lines.push(line) });

async function serve(service: Partial<ImageService>, version: 'v1' | 'v1alpha2' = 'v1'): Promise<Kubelet> {
  lines.length = 0;
  const whole: ImageService = {
    listImages: async () => create(ListImagesResponseSchema, { images: IMAGES }),
    imageStatus: async ({ image }) =>
      create(ImageStatusResponseSchema, { image: { id: image?.image ?? '' } }),
    pullImage: async () => create(PullImageResponseSchema, { imageRef: 'one' }),
    removeImage: async () => create(RemoveImageResponseSchema),
    imageFsInfo: async () => create(ImageFsInfoResponseSchema),
    probe: async () => undefined,
    close: async () => undefined,
    ...service,
  };
  const limits = { ageLimitMs: 0, patienceMs: 0 };
  const parts = {
    backend: createTypedBackend('docker', whole),
    lastGood: createLastGoodAnswers(() => limits, { clock: systemClock, onStale: () => undefined }),
    credentials: createPullCredentials([], { clock: systemClock, log }),
  };
  const dependencies = { clock: systemClock, log, metrics: createImageServiceMetrics() };
  const server = createGrpcServer((call) => void handleCall(call, parts, dependencies));
  const path = join(await ownFolder(), 's.sock');
  const listening = await listenOnSocket(
    createServer((socket) => server.accept(socket)),
    path,
  );
  const kubelet = createKubelet(path, { version });
  onTestFinished(async () => {
    kubelet.close();
    server.close();
    await listening.close();
  });
  return kubelet;
}

it.each(['v1', 'v1alpha2'] as const)('each method of %s is answered', async (version) => {
  const kubelet = await serve({}, version);
  const list = await kubelet.call('ListImages');
  expect(messageOf(ListImagesResponseSchema, list).images.map(({ id }) => id)).toEqual(['one', 'two']);
  for (const method of ['ImageStatus', 'PullImage', 'RemoveImage', 'ImageFsInfo']) {
    expect(await kubelet.call(method)).toMatchObject({ status: 0 });
  }
});

it('StreamImages gives each image once, by the same filter, and ends', async () => {
  let filtered: string | undefined;
  const kubelet = await serve({
    listImages: async ({ filter }) => {
      filtered = filter?.image?.image;
      return create(ListImagesResponseSchema, { images: IMAGES });
    },
  });
  const filter = { image: { image: 'app' } };
  const request = toBinary(ListImagesRequestSchema, create(ListImagesRequestSchema, { filter }));
  const { body, status } = await kubelet.call('StreamImages', request);
  expect(status).toBe(0);
  const ids: (string | undefined)[] = [];
  for (let offset = 0; offset < body.length; ) {
    const end = offset + 5 + body.readUInt32BE(offset + 1);
    ids.push(fromBinary(StreamImagesResponseSchema, body.subarray(offset + 5, end)).images?.id);
    offset = end;
  }
  expect(ids).toEqual(['one', 'two']);
  expect(filtered).toBe('app');
});

it('an error keeps its code and message, whatever it is written in', async () => {
  const kubelet = await serve({
    removeImage: () =>
      Promise.reject(new ImageServiceError(STATUS.FAILED_PRECONDITION, 'in use: 100 %, Büro\n')),
  });
  expect(await kubelet.call('RemoveImage')).toMatchObject({ status: 9, message: 'in use: 100 %, Büro\n' });
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 'warn', method: 'RemoveImage', code: 9, reason: 'in use: 100 %, Büro\n' },
  ]);
});

it('a pull that fails is told with image and source, and without what an address ends with', async () => {
  const failure = new ImageServiceError(STATUS.UNKNOWN, 'disk full: GET "https://a.b/c?sig=canary": 500');
  const kubelet = await serve({ pullImage: () => Promise.reject(failure) });
  const request = create(PullImageRequestSchema, {
    image: { image: 'docker.example.com/app:1' },
    auth: { username: 'pod', password: 'canary' },
  });
  const reply = await kubelet.call('PullImage', toBinary(PullImageRequestSchema, request));
  expect(reply).toMatchObject({ status: 2, message: failure.message });
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    {
      level: 'warn',
      method: 'PullImage',
      image: 'docker.example.com/app:1',
      source: 'kubelet',
      code: 2,
      reason: 'disk full: GET "https://a.b/c?…": 500',
    },
  ]);
  expect(lines.join('')).not.toContain('canary');
});

it.each(['ImageStatus', 'ListImages'])('a fault of ours in %s is told by the log alone', async (method) => {
  const fail = () => Promise.reject(new TypeError('words of ours'));
  const kubelet = await serve({ imageStatus: fail, listImages: fail });
  const reply = await kubelet.call(method);
  expect(reply).toMatchObject({ status: 13, message: 'the image service failed; its log says why' });
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 'error', method, code: 13, err: { type: 'TypeError', message: 'words of ours' } },
  ]);
});

it('what nobody knows is unimplemented, and nonsense is refused', async () => {
  const kubelet = await serve({});
  for (const path of ['/runtime.v1.RuntimeService/Version', '/runtime.v2.ImageService/ListImages', '/x']) {
    expect((await kubelet.call(path)).status).toBe(12);
  }
  expect((await kubelet.call('ImageStatus', Buffer.from([0x0a, 0x50, 1]))).status).toBe(13);
});

it('a client that gives up is told to the method', async () => {
  let started = (_signal: AbortSignal): void => undefined;
  const running = new Promise<AbortSignal>((resolve) => {
    started = resolve;
  });
  const kubelet = await serve({
    pullImage: (_request, { signal }) => {
      started(signal);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  });
  const reply = kubelet.call('PullImage', new Uint8Array(), { timeoutMs: 100 });
  const signal = await running;
  expect((await reply).status).toBe(4);
  expect(lines.join('')).toContain('context deadline exceeded');
  expect(signal.aborted).toBe(true);
});
