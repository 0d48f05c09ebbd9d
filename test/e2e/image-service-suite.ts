import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ImageFsInfoResponseSchema,
  ImageStatusResponseSchema,
  ListImagesResponseSchema,
  PullImageResponseSchema,
} from '../../src/kubelet/image-service/gen/runtime/v1/image_pb.ts';
import { headersInPieces, oneByteAtATime } from '../kubelet/image-service/support/connections.ts';
import {
  createKubelet,
  type Kubelet,
  type KubeletOptions,
  messageOf,
} from '../kubelet/image-service/support/kubelet.ts';
import { type PushedImage, pushImage } from '../support/images.ts';
import type { PushTarget } from '../support/push.ts';
import { imageRequest, pullRequest, type RunningImageService } from './image-service-site.ts';
import { ALICE, BERTA } from './site.ts';
import { type StallingRegistry, startStallingRegistry } from './stalling-registry.ts';

/** `drp image-service` in front of a runtime, with the proxy as its registry. */
export interface Site {
  readonly service: RunningImageService;
  /** The proxy's, with the images of {@link pushTeamImages}. */
  readonly host: string;
  readonly images: Readonly<Record<string, PushedImage>>;
  /** Resolves when the runtime has given up its pull of the image that stalls. */
  untilGivenUp(registry: StallingRegistry): Promise<unknown>;
}

const WRONG = { type: 'static', username: ALICE.username, password: 'not hers' };
const RIGHT = { type: 'static', ...ALICE };

/** Rules for images of the team, one for each thing that may come of a credential. */
export function teamRules(host: string): readonly object[] {
  const rule = (name: string, provider: object, order = 'kubelet-first') => ({
    images: [`${host}/team/${name}`],
    provider,
    order,
  });
  return [
    rule('**', RIGHT),
    rule('first', WRONG, 'provider-first'),
    rule('only', WRONG, 'provider-only'),
    rule('refused', { type: 'static', ...BERTA }, 'provider-only'),
    rule('hanging', { type: 'exec', command: ['/bin/sleep', '1000'], timeout: '300ms' }, 'provider-first'),
    rule('pool', { type: 'pool', members: [WRONG, RIGHT] }, 'provider-only'),
    rule('own', { type: 'anonymous' }),
  ];
}

/** The images of the rules, which are all one but for their names, and some with users. */
export async function pushTeamImages(registry: PushTarget): Promise<Readonly<Record<string, PushedImage>>> {
  const push = async (name: string, more = {}) =>
    [name, await pushImage(registry, `acme/team/${name}`, '1', more)] as const;
  return Object.fromEntries(
    await Promise.all([
      push('app', { layers: 2 }),
      push('numeric', { config: { User: '1000:1000' } }),
      push('named', { config: { User: 'app:grp' } }),
      ...['first', 'only', 'refused', 'hanging', 'pool', 'own'].map((name) => push(name)),
    ]),
  );
}

/** Kubelet's versions, by what they send, and clients that cut it up. */
const CLIENTS: readonly (readonly [name: string, options: KubeletOptions])[] = [
  ['kubelet up to 1.22', { authority: '/run/drp/image-service.sock', version: 'v1alpha2' }],
  ['kubelet 1.23 to 1.28', { authority: '/run/drp/image-service.sock' }],
  ['kubelet 1.29 and 1.30', { authority: '%2Frun%2Fdrp%2Fimage-service.sock' }],
  ['kubelet 1.31 and later', { authority: 'localhost' }],
  ['a client without an authority', { authority: '' }],
  ['a client that sends CONTINUATION frames', { authority: '/run/x.sock', wrap: headersInPieces }],
  ['a client that sends single bytes', { authority: '/run/x.sock', wrap: oneByteAtATime }],
];

/** What every runtime has to do behind `drp image-service`. */
export function describeImageService(site: () => Site): void {
  function connect(options: KubeletOptions = {}): Kubelet {
    const kubelet = createKubelet(site().service.socket, options);
    onTestFinished(() => kubelet.close());
    return kubelet;
  }

  const reference = (name: string) => `${site().host}/team/${name}:1`;

  async function pull(name: string, kubelet = connect()): Promise<string> {
    const reply = await kubelet.call('PullImage', pullRequest(reference(name)));
    expect(reply).toMatchObject({ status: 0, message: '', reset: 0 });
    return messageOf(PullImageResponseSchema, reply).imageRef;
  }

  async function statusOf(image: string, kubelet = connect()) {
    const reply = await kubelet.call('ImageStatus', imageRequest(image));
    expect(reply).toMatchObject({ status: 0, message: '', reset: 0 });
    return messageOf(ImageStatusResponseSchema, reply).image;
  }

  async function remove(image: string, kubelet = connect()): Promise<void> {
    expect(await kubelet.call('RemoveImage', imageRequest(image))).toMatchObject({ status: 0, reset: 0 });
  }

  describe.each(CLIENTS)('%s', (_name, options) => {
    it('pulls a private image without imagePullSecrets, finds it, lists it, and is answered by every method', async () => {
      const kubelet = connect(options);
      const id = await pull('app', kubelet);
      const { digest, manifests } = site().images.app as PushedImage;
      expect(id).toBe(manifests[0]?.config);
      const image = await statusOf(reference('app'), kubelet);
      expect(image).toMatchObject({
        id,
        repoTags: [reference('app')],
        repoDigests: [`${site().host}/team/app@${digest}`],
      });
      expect(image?.size).toBeGreaterThan(0n);
      const { images } = messageOf(ListImagesResponseSchema, await kubelet.call('ListImages'));
      expect(images.filter((one) => one.id === id)).toHaveLength(1);
      const info = messageOf(ImageFsInfoResponseSchema, await kubelet.call('ImageFsInfo'));
      // Without it kubelet would end in a panic.
      expect(info.imageFilesystems[0]?.usedBytes).toBeDefined();
      await remove(reference('none'), kubelet);
    });
  });

  it.each(['tag', 'digest', 'id'])('removes an image by its %s, and again', async (by) => {
    const id = await pull('app');
    const digest = `${site().host}/team/app@${site().images.app?.digest}`;
    const names = { tag: reference('app'), digest, id };
    await remove(names[by as keyof typeof names]);
    expect(await statusOf(id)).toBeUndefined();
    expect(await statusOf(reference('app'))).toBeUndefined();
    await remove(names[by as keyof typeof names]);
  });

  it('shows the user of an image, for pods with runAsNonRoot', async () => {
    await Promise.all([pull('numeric'), pull('named')]);
    expect(await statusOf(reference('numeric'))).toMatchObject({ uid: { value: 1000n }, username: '' });
    const named = await statusOf(reference('named'));
    expect(named?.username).toBe('app');
    expect(named?.uid).toBeUndefined();
  });

  it.each([
    ["goes on with the provider's when kubelet's is wrong", 'app', WRONG],
    ["goes on with kubelet's when the provider's is wrong", 'first', RIGHT],
    ["goes on with kubelet's when the provider hangs", 'hanging', RIGHT],
    ['goes on with the next credential of a pool', 'pool', undefined],
    ["takes nothing but kubelet's where the provider is the anonymous one", 'own', RIGHT],
  ])('%s', async (_case, name, shown) => {
    const kubelet = connect();
    await remove(reference(name), kubelet);
    const secret = shown && { username: shown.username, password: shown.password };
    expect(await kubelet.call('PullImage', pullRequest(reference(name), secret))).toMatchObject({
      status: 0,
      message: '',
    });
    expect(await statusOf(reference(name), kubelet)).toBeDefined();
  });

  it.each([
    ['a wrong credential of the provider, alone', 'only', RIGHT],
    ['an account without a right to the image', 'refused', RIGHT],
    ['a wrong secret of a pod, where the provider is the anonymous one', 'own', WRONG],
  ])('fails with %s, in words that kubelet shows', async (_case, name, { username, password }) => {
    const kubelet = connect();
    await remove(reference(name), kubelet);
    const reply = await kubelet.call('PullImage', pullRequest(reference(name), { username, password }));
    expect(reply).toMatchObject({
      status: 2,
      message: expect.stringMatching(/unauthorized|authorization failed|denied|forbidden/i),
    });
    expect(await statusOf(reference(name), kubelet)).toBeUndefined();
  });

  it('lets fifty pulls at once end well', async () => {
    const kubelet = connect();
    await remove(reference('app'), kubelet);
    const names = ['app', 'numeric', 'named', 'pool', 'app'];
    const ids = await Promise.all(
      Array.from({ length: 50 }, (_, index) => pull(names[index % 5] ?? '', kubelet)),
    );
    expect(new Set(ids).size).toBe(4);
  });

  it('ends a pull at the runtime too when kubelet gives up by its deadline', async () => {
    const registry = await startStallingRegistry();
    onTestFinished(() => registry.close());
    let isAsked = false;
    void registry.layerRequest.then(() => {
      isAsked = true;
    });
    const kubelet = connect();
    // As much time as this machine needs to get as far as the layer.
    for (let timeoutMs = 1000; !isAsked; timeoutMs *= 2) {
      const reply = await kubelet.call('PullImage', pullRequest(registry.image), { timeoutMs });
      expect(reply.status).toBe(4);
    }
    await site().untilGivenUp(registry);
  });

  it('writes no password into its log', () => {
    for (const password of [ALICE.password, BERTA.password, WRONG.password]) {
      expect(site().service.logs()).not.toContain(password);
    }
  });
}
