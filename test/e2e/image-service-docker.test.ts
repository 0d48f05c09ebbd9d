import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  ImageFsInfoResponseSchema,
  ImageStatusRequestSchema,
  ImageStatusResponseSchema,
  ListImagesResponseSchema,
  PullImageResponseSchema,
  RemoveImageRequestSchema,
} from '../../src/kubelet/image-service/gen/runtime/v1/image_pb.ts';
import { createKubelet, messageOf } from '../kubelet/image-service/support/kubelet.ts';
import { startDockerd } from '../servers/index.ts';
import { type PushedImage, pushImage } from '../support/images.ts';
import { startProxy } from '../support/proxy.ts';
import { useResources } from '../support/resources.ts';
import { pullRequest, type RunningImageService, startImageService } from './image-service-site.ts';
import { ALICE, SITE_FILES, siteConfiguration, startPrivateRegistry } from './site.ts';

describe('drp image-service in front of a real Docker Engine, with the proxy as its registry', () => {
  const keep = useResources();
  let service: RunningImageService;
  let pushed: PushedImage;
  let host: string;

  beforeAll(async () => {
    const [registry, engine] = await Promise.all([startPrivateRegistry(), startDockerd()]);
    keep(registry);
    keep(engine);
    pushed = await pushImage(registry, 'acme/team/app', 'v1', { layers: 2, config: { User: '1000:1000' } });
    const proxy = keep(await startProxy(siteConfiguration(registry), { files: SITE_FILES }));
    host = proxy.host;
    service = keep(
      await startImageService({
        backend: { type: 'docker', socket: engine.socket },
        credentials: [{ images: [`${host}/team/**`], provider: { type: 'static', ...ALICE } }],
      }),
    );
  });

  describe.each([
    ['up to 1.22', '/run/drp/image-service.sock', 'v1alpha2'],
    ['1.31 and later', 'localhost', 'v1'],
  ] as const)('kubelet %s', (_versions, authority, version) => {
    function connect() {
      const kubelet = createKubelet(service.socket, { authority, version });
      onTestFinished(() => kubelet.close());
      return async <Schema extends DescMessage>(schema: Schema, method: string, message?: Uint8Array) => {
        const reply = await kubelet.call(method, message);
        expect(reply).toMatchObject({ status: 0, message: '', reset: 0 });
        return messageOf(schema, reply);
      };
    }

    it('pulls without imagePullSecrets, finds, lists and removes an image, and knows where images are', async () => {
      const ask = connect();
      const image = `${host}/team/app:v1`;
      const status = async () =>
        (
          await ask(
            ImageStatusResponseSchema,
            'ImageStatus',
            message(ImageStatusRequestSchema, { image: { image } }),
          )
        ).image;
      expect(await status()).toBeUndefined();
      const { imageRef } = await ask(PullImageResponseSchema, 'PullImage', pullRequest(image));
      expect(imageRef).toBe(pushed.manifests[0]?.config);
      const expected = {
        id: imageRef,
        repoTags: [image],
        repoDigests: [`${host}/team/app@${pushed.digest}`],
        uid: { value: 1000n },
        size: 2n * 64n * 1024n,
      };
      expect(await status()).toMatchObject(expected);
      const { images } = await ask(ListImagesResponseSchema, 'ListImages');
      expect(images.map(({ id }) => id)).toEqual([imageRef]);
      const { imageFilesystems } = await ask(ImageFsInfoResponseSchema, 'ImageFsInfo');
      expect(imageFilesystems.map(({ fsId }) => fsId?.mountpoint)).toEqual([
        expect.stringMatching(/\/data$/),
      ]);
      expect(imageFilesystems[0]?.usedBytes?.value).toBeGreaterThan(0n);
      await ask(
        RemoveImageRequestSchema,
        'RemoveImage',
        message(RemoveImageRequestSchema, { image: { image } }),
      );
      expect(await status()).toBeUndefined();
    });
  });

  it('is told what the registry says where no credential is meant for an image', async () => {
    const kubelet = createKubelet(service.socket);
    onTestFinished(() => kubelet.close());
    const reply = await kubelet.call('PullImage', pullRequest(`${host}/secret/plans:v1`));
    expect(reply).toMatchObject({
      status: 2,
      message: expect.stringMatching(/no basic auth credentials|denied|unauthorized/),
    });
  });

  it('answers a method that it does not know as a server of gRPC does', async () => {
    const kubelet = createKubelet(service.socket);
    onTestFinished(() => kubelet.close());
    expect(await kubelet.call('/runtime.v1.ImageService/Unknown')).toMatchObject({ status: 12 });
  });
});

function message<Schema extends DescMessage>(schema: Schema, init: MessageInitShape<Schema>): Uint8Array {
  return toBinary(schema, create(schema, init));
}
