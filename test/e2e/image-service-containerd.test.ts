import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ImageFsInfoResponseSchema,
  ImageStatusRequestSchema,
  ImageStatusResponseSchema,
  ListImagesRequestSchema,
  ListImagesResponseSchema,
  PullImageResponseSchema,
} from '../../src/kubelet/image-service/gen/runtime/v1/image_pb.ts';
import {
  createKubelet,
  type Kubelet,
  messageOf,
  type Reply,
} from '../kubelet/image-service/support/kubelet.ts';
import { type Containerd, startContainerd } from '../servers/index.ts';
import { type PushedImage, pushImage } from '../support/images.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { waitFor } from '../support/wait.ts';
import { pullRequest, type RunningImageService, startImageService } from './image-service-site.ts';
import { ALICE, BERTA, SITE_FILES, siteConfiguration, startPrivateRegistry } from './site.ts';

let registry: Awaited<ReturnType<typeof startPrivateRegistry>>;
let proxy: RunningProxy;
let containerd: Containerd;
let service: RunningImageService;
let pushed: PushedImage;
/** What kubelet would see without us. */
let direct: Kubelet;
let kubelet: Kubelet;
let image: string;

beforeAll(async () => {
  [registry, containerd] = await Promise.all([startPrivateRegistry(), startContainerd()]);
  pushed = await pushImage(registry, 'acme/team/app', '1', { layers: 2 });
  proxy = await startProxy(siteConfiguration(registry), { files: SITE_FILES });
  image = `${proxy.host}/team/app:1`;
  service = await startImageService(options());
  direct = createKubelet(containerd.socket);
  kubelet = createKubelet(service.socket, { authority: service.socket });
});

afterAll(async () => {
  for (const client of [direct, kubelet]) client?.close();
  for (const server of [service, proxy, containerd, registry]) await server?.close();
});

function options(login = ALICE) {
  return {
    backend: { type: 'cri', socket: containerd.socket },
    credentials: [{ images: [`${proxy.host}/**`], provider: { type: 'static', ...login } }],
    log: { level: 'debug' },
  };
}

function statusRequest(name: string, verbose = false): Uint8Array {
  return toBinary(
    ImageStatusRequestSchema,
    create(ImageStatusRequestSchema, { image: { image: name }, verbose }),
  );
}

describe.each([
  ['up to 1.22', '/run/drp/image-service.sock', 'v1alpha2'],
  ['1.23 to 1.28', '/run/drp/image-service.sock', 'v1'],
  ['1.29 and 1.30', '%2Frun%2Fdrp%2Fimage-service.sock', 'v1'],
  ['1.31 and later', 'localhost', 'v1'],
] as const)('kubelet %s', (_versions, authority, version) => {
  it('pulls a private image without imagePullSecrets, finds it and removes it', async () => {
    const own = createKubelet(service.socket, { authority, version });
    const pull = await own.call('PullImage', pullRequest(image));
    expect(pull).toMatchObject({ status: 0, message: '' });
    const { imageRef } = messageOf(PullImageResponseSchema, pull);
    const [manifest] = pushed.manifests;
    expect(imageRef).toBe(manifest?.config);
    const status = messageOf(ImageStatusResponseSchema, await own.call('ImageStatus', statusRequest(image)));
    expect(status.image).toMatchObject({
      id: imageRef,
      repoTags: [image],
      repoDigests: [`${proxy.host}/team/app@${pushed.digest}`],
    });
    expect(status.image?.size).toBeGreaterThan(0n);
    const list = messageOf(ListImagesResponseSchema, await own.call('ListImages'));
    expect(list.images.map(({ id }) => id)).toContain(imageRef);
    expect((await own.call('RemoveImage', statusRequest(imageRef))).status).toBe(0);
    const gone = messageOf(ImageStatusResponseSchema, await own.call('ImageStatus', statusRequest(image)));
    expect(gone.image).toBeUndefined();
    own.close();
  });
});

describe('each answer', () => {
  const filter = () =>
    toBinary(ListImagesRequestSchema, create(ListImagesRequestSchema, { filter: { image: { image } } }));
  const CALLS: readonly (readonly [name: string, method: string, message: () => Uint8Array])[] = [
    ['the list', 'ListImages', () => new Uint8Array()],
    ['the list of one', 'ListImages', filter],
    ['an image', 'ImageStatus', () => statusRequest(image)],
    ['an image in all words', 'ImageStatus', () => statusRequest(image, true)],
    ['no image', 'ImageStatus', () => statusRequest('docker.example.com/none:1')],
    ['a reference that is none', 'ImageStatus', () => statusRequest('NOT//A:REFERENCE')],
    ['nonsense', 'ImageStatus', () => Buffer.from([0x0a, 0x50, 1])],
    ['the removal of nothing', 'RemoveImage', () => statusRequest('docker.example.com/none:1')],
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

describe('a pull', () => {
  it('with a credential that has no right to it fails as it does without us', async () => {
    const wrong = await startImageService(options(BERTA));
    const client = createKubelet(wrong.socket);
    const ours = await client.call('PullImage', pullRequest(image));
    expect(ours.status).toBe(2);
    const auth = { ...BERTA, serverAddress: `https://${proxy.host}` };
    const expected = await direct.call('PullImage', pullRequest(image, auth));
    // The identity that the proxy answers with is the same; the scope's order in the message is not ours to compare.
    expect(ours.message.slice(0, 60)).toBe(expected.message.slice(0, 60));
    expect(wrong.logs()).not.toContain(BERTA.password);
    client.close();
    await wrong.close();
  });

  it("goes on with the provider's when kubelet's credential is wrong", async () => {
    await kubelet.call('RemoveImage', statusRequest(image));
    const wrong = pullRequest(image, { username: 'alice', password: 'wrong' });
    expect(await kubelet.call('PullImage', wrong)).toMatchObject({ status: 0, message: '' });
    expect(service.logs()).not.toContain(ALICE.password);
  });

  it('fifty times at once succeeds fifty times', async () => {
    await kubelet.call('RemoveImage', statusRequest(image));
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => kubelet.call('PullImage', pullRequest(image))),
    );
    expect(replies.map(({ message }) => message).filter((message) => message !== '')).toEqual([]);
  });

  it('that kubelet gives up by its deadline ends at the runtime too', async () => {
    const { server, host, left } = await startSilentRegistry();
    const pull = kubelet.call('PullImage', pullRequest(`${host}/app:1`), { timeoutMs: 1000 });
    expect((await pull).status).toBe(4);
    await left;
    server.close();
  });
});

describe('a runtime that is killed', () => {
  it('and started again is found again, and kubelet keeps its file systems meanwhile', async () => {
    const { body } = await kubelet.call('ImageFsInfo');
    const list = await kubelet.call('ListImages');
    const { server, host } = await startSilentRegistry();
    const running = kubelet.call('PullImage', pullRequest(`${host}/app:1`));
    await once(server, 'request');
    await containerd.kill();
    expect((await running).status).toBe(14);
    expect((await kubelet.call('ImageFsInfo')).body).toEqual(body);
    expect((await kubelet.call('ListImages')).body).toEqual(list.body);
    expect((await kubelet.call('ImageStatus', statusRequest(image))).status).toBe(14);
    await containerd.restart();
    await waitFor('containerd', async () =>
      (await kubelet.call('ImageStatus', statusRequest(image))).status === 0 ? true : undefined,
    );
    expect(await kubelet.call('PullImage', pullRequest(image))).toMatchObject({ status: 0 });
    server.closeAllConnections();
    server.close();
  });
});

/** A registry that takes requests and never answers. `left` resolves when a client has gone. */
async function startSilentRegistry(): Promise<{ server: Server; host: string; left: Promise<void> }> {
  let leave = (): void => undefined;
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const server = createServer((request) => request.once('close', leave));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, host: `127.0.0.1:${(server.address() as AddressInfo).port}`, left };
}
