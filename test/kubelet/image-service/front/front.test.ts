import { once } from 'node:events';
import { createConnection } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { frame, PREFACE } from '../../../../src/kubelet/image-service/front/frame.ts';
import { createGoAwayWatch } from '../../../../src/kubelet/image-service/front/go-away-watch.ts';
import { type Connection, headersInPieces, oneByteAtATime } from '../support/connections.ts';
import { createKubelet } from '../support/kubelet.ts';
import { type FakeRuntime, startFakeRuntime } from '../support/runtime.ts';
import { type RunningService, startService } from '../support/service.ts';
import { parseFrames } from './frames.ts';

let runtime: FakeRuntime;
let service: RunningService;

beforeAll(async () => {
  runtime = await startFakeRuntime();
  runtime.onCall = async (call) => call.reply([(await call.body).subarray(5)]);
  service = await startService({ backend: { type: 'cri', socket: runtime.socket } });
});

afterAll(async () => {
  await service.close();
  await runtime.close();
});

/** Kubelet's versions, by what they send. */
const AUTHORITIES = [
  ['up to 1.28', '/run/drp/image-service.sock'],
  ['1.29 and 1.30', '%2Frun%2Fdrp%2Fimage-service.sock'],
  ['later ones', 'localhost'],
  ['others', ''],
] as const;

describe.each(AUTHORITIES)('kubelet %s', (_version, authority) => {
  it.each(['v1', 'v1alpha2'] as const)('is served over %s', async (version) => {
    const kubelet = createKubelet(service.socket, { authority, version });
    // More than one: from the second on, headers come from the dynamic table.
    for (const text of ['first', 'second', 'third']) {
      const reply = await kubelet.call('ImageStatus', Buffer.from(text));
      expect(reply).toMatchObject({ status: 0 });
      expect(reply.body.subarray(5).toString()).toBe(text);
    }
    kubelet.close();
  });

  it.each<[name: string, wrap: Connection]>([
    ['each byte comes alone', oneByteAtATime],
    ['its headers come in CONTINUATION frames', headersInPieces],
    ['both is so', (plain) => headersInPieces(oneByteAtATime(plain))],
  ])('is served when %s', async (_name, wrap) => {
    const kubelet = createKubelet(service.socket, { authority, wrap });
    // From the second on, headers come from the dynamic table.
    for (const text of ['slowly', 'slowly again']) {
      const reply = await kubelet.call('ListImages', Buffer.from(text));
      expect(reply.body.subarray(5).toString()).toBe(text);
    }
    kubelet.close();
  });

  it('is served when its headers are larger than a frame', async () => {
    const kubelet = createKubelet(service.socket, { authority });
    const large = 'v'.repeat(20_000);
    const reply = await kubelet.call('ListImages', Buffer.from('much'), { metadata: { 'x-large': large } });
    expect(reply.body.subarray(5).toString()).toBe('much');
    expect(runtime.calls.at(-1)?.metadata['x-large']).toBe(large);
    kubelet.close();
  });
});

it('many calls at once, over many connections, all get their own answer', async () => {
  const kubelets = AUTHORITIES.map(([, authority]) => createKubelet(service.socket, { authority }));
  const texts = Array.from({ length: 200 }, (_, index) => `call ${index}`);
  const replies = await Promise.all(
    texts.map((text, index) => kubelets[index % 4]?.call('ImageStatus', Buffer.from(text))),
  );
  expect(replies.map((reply) => reply?.body.subarray(5).toString())).toEqual(texts);
  for (const kubelet of kubelets) kubelet.close();
});

describe('a client that breaks the protocol', () => {
  const SETTINGS = frame(0x4, 0, 0, Buffer.alloc(0));

  it.each([
    ['speaks HTTP/1.1', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 1],
    ['compresses headers wrongly', Buffer.concat([PREFACE, SETTINGS, frame(1, 4, 1, Buffer.of(0x80))]), 9],
    [
      'sends a frame that is too large',
      Buffer.concat([PREFACE, SETTINGS, frame(0, 0, 1, Buffer.alloc(20_000))]),
      6,
    ],
    [
      'sends a ping of the wrong size',
      Buffer.concat([PREFACE, SETTINGS, frame(6, 0, 0, Buffer.alloc(3))]),
      6,
    ],
  ])('because it %s is told so, and nobody else notices', async (_case, bytes, code) => {
    const neighbour = createKubelet(service.socket);
    await neighbour.call('ImageStatus');
    const socket = createConnection({ path: service.socket });
    const received: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    socket.on('error', () => undefined);
    socket.write(bytes);
    await once(socket, 'close');
    const goAway = parseFrames(Buffer.concat(received)).find(({ type }) => type === 7);
    expect(goAway?.payload.readUInt32BE(4)).toBe(code);
    expect((await neighbour.call('ImageStatus', Buffer.from('still'))).body.subarray(5).toString()).toBe(
      'still',
    );
    neighbour.close();
  });

  it('by leaving in the middle of anything is forgotten', async () => {
    for (const length of [1, 10, 24, 30, 40]) {
      const socket = createConnection({ path: service.socket });
      socket.on('error', () => undefined);
      socket.end(Buffer.concat([PREFACE, SETTINGS, frame(1, 4, 1, Buffer.alloc(20))]).subarray(0, length));
      socket.resume();
      await once(socket, 'close');
    }
    const kubelet = createKubelet(service.socket);
    expect((await kubelet.call('ImageStatus')).status).toBe(0);
    kubelet.close();
  });
});

it('a GOAWAY is seen wherever the chunks are cut, and only one that tells of an error', () => {
  const goAwayFrame = (code: number) => frame(7, 0, 0, Buffer.from([0, 0, 0, 0, 0, 0, 0, code, 0x64]));
  const others = Buffer.concat([
    frame(0, 0, 1, Buffer.alloc(30, 7)),
    goAwayFrame(0),
    frame(4, 1, 0, Buffer.alloc(0)),
  ]);
  for (const size of [1, 3, 9, 1000]) {
    const watch = createGoAwayWatch();
    const see = (bytes: Buffer) => {
      for (let from = 0; from < bytes.length; from += size) watch.see(bytes.subarray(from, from + size));
      return watch.see(Buffer.alloc(0));
    };
    expect(see(others)).toBe(false);
    expect(see(goAwayFrame(2))).toBe(true);
  }
});
