import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  type Image,
  ImageFsInfoResponseSchema,
  ImageStatusResponseSchema,
  ListImagesRequestSchema,
  ListImagesResponseSchema,
  StreamImagesResponseSchema,
} from '../../src/kubelet/image-service/gen/runtime/v1/image_pb.ts';
import { createKubelet, type Kubelet, messageOf } from '../kubelet/image-service/support/kubelet.ts';
import { type Dockerd, startDockerd } from '../servers/index.ts';
import type { PushedImage } from '../support/images.ts';
import { startProxy } from '../support/proxy.ts';
import { useResources } from '../support/resources.ts';
import { waitFor } from '../support/wait.ts';
import {
  imageRequest,
  pullRequest,
  type RunningImageService,
  startImageService,
} from './image-service-site.ts';
import { describeImageService, pushTeamImages, teamRules } from './image-service-suite.ts';
import { SITE_FILES, siteConfiguration, startPrivateRegistry } from './site.ts';
import { startStallingRegistry } from './stalling-registry.ts';

describe('drp image-service in front of a real Docker Engine, with the proxy as its registry', () => {
  const keep = useResources();
  let engine: Dockerd;
  let service: RunningImageService;
  let images: Readonly<Record<string, PushedImage>>;
  let host: string;

  beforeAll(async () => {
    const [registry, dockerd] = await Promise.all([startPrivateRegistry(), startDockerd()]);
    keep(registry);
    engine = keep(dockerd);
    images = await pushTeamImages(registry);
    const proxy = keep(await startProxy(siteConfiguration(registry), { files: SITE_FILES }));
    host = proxy.host;
    service = keep(
      await startImageService({
        backend: { type: 'docker', socket: engine.socket },
        credentials: teamRules(host),
        log: { level: 'debug' },
      }),
    );
  });

  function connect(): Kubelet {
    const kubelet = createKubelet(service.socket);
    onTestFinished(() => kubelet.close());
    return kubelet;
  }

  describeImageService(() => ({
    service,
    host,
    images,
    // It ends the pull, and leaves the registry's answer alone.
    untilGivenUp: () =>
      waitFor('Docker Engine to end the pull', () => /context canceled/.test(engine.logs()) || undefined),
  }));

  it('knows the size of an image, and where images are', async () => {
    const kubelet = connect();
    const image = `${host}/team/app:1`;
    expect(await kubelet.call('PullImage', pullRequest(image))).toMatchObject({ status: 0 });
    const status = await kubelet.call('ImageStatus', imageRequest(image));
    expect(messageOf(ImageStatusResponseSchema, status).image?.size).toBe(2n * 64n * 1024n);
    const info = await kubelet.call('ImageFsInfo');
    const { imageFilesystems } = messageOf(ImageFsInfoResponseSchema, info);
    expect(imageFilesystems.map(({ fsId }) => fsId?.mountpoint)).toEqual([expect.stringMatching(/\/data$/)]);
    expect(imageFilesystems[0]?.usedBytes?.value).toBeGreaterThan(0n);
  });

  it('streams each image once, all or those of a filter', async () => {
    const kubelet = connect();
    for (const name of ['app', 'numeric'])
      await kubelet.call('PullImage', pullRequest(`${host}/team/${name}:1`));
    const { images: listed } = messageOf(ListImagesResponseSchema, await kubelet.call('ListImages'));
    // Of images of one second, Docker Engine has no order.
    const inOrder = (all: readonly (Image | undefined)[]) =>
      [...all].sort((a, b) => (a && b && a.id < b.id ? -1 : 1));
    const streamed = async (message?: Uint8Array) => {
      const reply = await kubelet.call('StreamImages', message);
      expect(reply).toMatchObject({ status: 0, reset: 0 });
      return messages(reply.body).map((bytes) => fromBinary(StreamImagesResponseSchema, bytes).images);
    };
    expect(inOrder(await streamed())).toEqual(inOrder(listed));
    const image = `${host}/team/numeric:1`;
    const filter = toBinary(
      ListImagesRequestSchema,
      create(ListImagesRequestSchema, { filter: { image: { image } } }),
    );
    expect(await streamed(filter)).toMatchObject([{ repoTags: [image] }]);
  });

  it('is told what the registry says where no credential is meant for an image', async () => {
    const reply = await connect().call('PullImage', pullRequest(`${host}/secret/plans:v1`));
    expect(reply).toMatchObject({
      status: 2,
      message: expect.stringMatching(/no basic auth credentials|denied|unauthorized/),
    });
  });

  it('answers a method that it does not know as a server of gRPC does', async () => {
    expect(await connect().call('/runtime.v1.ImageService/Unknown')).toMatchObject({ status: 12 });
  });

  it('tells at once of a Docker Engine that is killed, keeps what it said of images, and finds it again', async () => {
    const kubelet = connect();
    const image = `${host}/team/app:1`;
    const { body } = await kubelet.call('ImageFsInfo');
    const list = await kubelet.call('ListImages');
    const registry = await startStallingRegistry();
    onTestFinished(() => registry.close());
    const pulling = kubelet.call('PullImage', pullRequest(registry.image));
    await registry.layerRequest;
    await engine.kill();
    expect((await pulling).status).toBe(14);
    expect((await kubelet.call('ImageFsInfo')).body).toEqual(body);
    expect((await kubelet.call('ListImages')).body).toEqual(list.body);
    expect((await kubelet.call('ImageStatus', imageRequest(image))).status).toBe(14);
    await engine.restart();
    expect(await kubelet.call('PullImage', pullRequest(image))).toMatchObject({ status: 0, message: '' });
  });
});

/** The messages of a stream. */
function messages(body: Buffer): Buffer[] {
  const all: Buffer[] = [];
  for (let rest = body; rest.length > 0; ) {
    const end = 5 + rest.readUInt32BE(1);
    all.push(rest.subarray(5, end));
    rest = rest.subarray(end);
  }
  return all;
}
