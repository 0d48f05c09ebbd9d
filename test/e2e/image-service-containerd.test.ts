import { create, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  ImageFsInfoResponseSchema,
  ListImagesRequestSchema,
  ListImagesResponseSchema,
} from '../../src/kubelet/image-service/gen/runtime/v1/image_pb.ts';
import {
  createKubelet,
  type Kubelet,
  messageOf,
  type Reply,
} from '../kubelet/image-service/support/kubelet.ts';
import { type Containerd, startContainerd } from '../servers/index.ts';
import type { PushedImage } from '../support/images.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { waitFor } from '../support/wait.ts';
import {
  imageRequest,
  pullRequest,
  type RunningImageService,
  startImageService,
} from './image-service-site.ts';
import { describeImageService, pushTeamImages, teamRules } from './image-service-suite.ts';
import { ALICE, BERTA, SITE_FILES, siteConfiguration, startPrivateRegistry } from './site.ts';
import { startStallingRegistry } from './stalling-registry.ts';

let registry: Awaited<ReturnType<typeof startPrivateRegistry>>;
let proxy: RunningProxy;
let containerd: Containerd;
let service: RunningImageService;
let images: Readonly<Record<string, PushedImage>>;
/** What kubelet would see without us. */
let direct: Kubelet;
let kubelet: Kubelet;
let image: string;

beforeAll(async () => {
  [registry, containerd] = await Promise.all([startPrivateRegistry(), startContainerd()]);
  images = await pushTeamImages(registry);
  proxy = await startProxy(siteConfiguration(registry), { files: SITE_FILES });
  image = `${proxy.host}/team/app:1`;
  service = await startImageService({
    backend: { type: 'cri', socket: containerd.socket },
    credentials: teamRules(proxy.host),
    log: { level: 'debug' },
  });
  direct = createKubelet(containerd.socket);
  kubelet = createKubelet(service.socket, { authority: service.socket });
});

afterAll(async () => {
  for (const client of [direct, kubelet]) client?.close();
  for (const server of [service, proxy, containerd, registry]) await server?.close();
});

describeImageService(() => ({
  service,
  host: proxy.host,
  images,
  untilGivenUp: ({ left }) => left,
}));

describe('each answer', () => {
  // containerd lists several images in another order each time.
  beforeAll(async () => {
    const { images: listed } = messageOf(ListImagesResponseSchema, await direct.call('ListImages'));
    await Promise.all(listed.map(({ id }) => direct.call('RemoveImage', imageRequest(id))));
  });

  const filter = () =>
    toBinary(ListImagesRequestSchema, create(ListImagesRequestSchema, { filter: { image: { image } } }));
  const CALLS: readonly (readonly [name: string, method: string, message: () => Uint8Array])[] = [
    ['the list', 'ListImages', () => new Uint8Array()],
    ['the list of one', 'ListImages', filter],
    ['an image', 'ImageStatus', () => imageRequest(image)],
    ['an image in all words', 'ImageStatus', () => imageRequest(image, true)],
    ['no image', 'ImageStatus', () => imageRequest('docker.example.com/none:1')],
    ['a reference that is none', 'ImageStatus', () => imageRequest('NOT//A:REFERENCE')],
    ['nonsense', 'ImageStatus', () => Buffer.from([0x0a, 0x50, 1])],
    ['the removal of nothing', 'RemoveImage', () => imageRequest('docker.example.com/none:1')],
    ['a pull of nothing', 'PullImage', () => pullRequest('127.0.0.1:1/none:1')],
    ['a method that it lacks', 'StreamImages', () => new Uint8Array()],
    ['a service that it lacks', '/some.Other/Method', () => new Uint8Array()],
    ["the runtime's version", '/runtime.v1.RuntimeService/Version', () => new Uint8Array()],
  ];

  it.each(
    CALLS.flatMap((call) => (['v1', 'v1alpha2'] as const).map((version) => [version, ...call] as const)),
  )('of %s about %s is the direct answer, byte for byte', async (version, _name, method, message) => {
    await kubelet.call('PullImage', pullRequest(image));
    const clients = [direct, kubelet].map((_, index) =>
      createKubelet(index === 0 ? containerd.socket : service.socket, { version }),
    );
    const [expected, ours] = await Promise.all(clients.map((client) => client.call(method, message())));
    expect(ours).toEqual(expected);
    for (const client of clients) client.close();
  });

  it.each(['v1', 'v1alpha2'] as const)(
    'of %s about a pull that goes well, and about the removal of what is there, is the direct answer',
    async (version) => {
      const [own, ours] = [containerd, service].map(({ socket }) => createKubelet(socket, { version }));
      const login = { ...ALICE, serverAddress: `https://${proxy.host}` };
      const replies = async (client: Kubelet | undefined, pull: Uint8Array) => [
        await client?.call('PullImage', pull),
        await client?.call('RemoveImage', imageRequest(image)),
      ];
      await direct.call('RemoveImage', imageRequest(image));
      const expected = await replies(own, pullRequest(image, login));
      expect(expected.map((reply) => reply?.status)).toEqual([0, 0]);
      expect(await replies(ours, pullRequest(image))).toEqual(expected);
      for (const client of [own, ours]) client?.close();
    },
  );

  it('about a pull with an account that has no right to it begins as it does without us', async () => {
    const refused = `${proxy.host}/team/refused:1`;
    const ours = await kubelet.call('PullImage', pullRequest(refused));
    const auth = { ...BERTA, serverAddress: `https://${proxy.host}` };
    const expected = await direct.call('PullImage', pullRequest(refused, auth));
    expect(ours.status).toBe(expected.status);
    // The scope's order in the message is not ours to compare.
    expect(ours.message.slice(0, 60)).toBe(expected.message.slice(0, 60));
  });

  it('about the file systems is the direct answer but for its time', async () => {
    const withoutTime = ({ body, ...rest }: Reply) => {
      const info = messageOf(ImageFsInfoResponseSchema, { body, ...rest });
      for (const usage of info.imageFilesystems) usage.timestamp = 0n;
      return { ...rest, message: toBinary(ImageFsInfoResponseSchema, info) };
    };
    const [expected, ours] = await Promise.all([direct.call('ImageFsInfo'), kubelet.call('ImageFsInfo')]);
    expect(withoutTime(ours)).toEqual(withoutTime(expected));
  });
});

it('equal pulls of many pods ask the registry for each layer once', async () => {
  const layers = images.app?.manifests[0]?.layers ?? [];
  const asked = () =>
    (proxy.logLines() as readonly { readonly reference?: string }[]).filter(({ reference = '' }) =>
      layers.includes(reference),
    ).length;
  await direct.call('RemoveImage', imageRequest(image));
  const before = asked();
  const replies = await Promise.all(
    Array.from({ length: 20 }, () => kubelet.call('PullImage', pullRequest(image))),
  );
  expect(replies.filter(({ status }) => status !== 0)).toEqual([]);
  expect(asked() - before).toBe(layers.length);
});

describe('a runtime that is killed', () => {
  it('and started again is found again, and kubelet keeps its file systems meanwhile', async () => {
    const { body } = await kubelet.call('ImageFsInfo');
    const list = await kubelet.call('ListImages');
    const stalling = await startStallingRegistry();
    onTestFinished(() => stalling.close());
    const running = kubelet.call('PullImage', pullRequest(stalling.image));
    await stalling.layerRequest;
    await containerd.kill();
    expect((await running).status).toBe(14);
    expect((await kubelet.call('ImageFsInfo')).body).toEqual(body);
    expect((await kubelet.call('ListImages')).body).toEqual(list.body);
    expect((await kubelet.call('ImageStatus', imageRequest(image))).status).toBe(14);
    await containerd.restart();
    await waitFor('containerd', async () =>
      (await kubelet.call('ImageStatus', imageRequest(image))).status === 0 ? true : undefined,
    );
    expect(await kubelet.call('PullImage', pullRequest(image))).toMatchObject({ status: 0 });
  });
});
