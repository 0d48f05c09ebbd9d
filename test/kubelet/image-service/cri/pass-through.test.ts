import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/core/index.ts';
import { createCriBackend } from '../../../../src/kubelet/image-service/cri/index.ts';
import { frameMessage, metadataOf } from '../../../../src/kubelet/image-service/grpc/index.ts';
import { waitFor } from '../../../support/wait.ts';
import { createKubelet, type Kubelet } from '../support/kubelet.ts';
import { type FakeRuntime, startFakeRuntime } from '../support/runtime.ts';
import { type RunningService, startService } from '../support/service.ts';

let runtime: FakeRuntime;
let service: RunningService;
let kubelet: Kubelet;

beforeEach(async () => {
  runtime = await startFakeRuntime();
  service = await startService({ backend: { type: 'cri', socket: runtime.socket } });
  kubelet = createKubelet(service.socket);
});

afterEach(async () => {
  kubelet.close();
  await service.close();
  await runtime.close();
});

describe('a call', () => {
  it.each([
    ['a method that is kept', 'ListImages'],
    ['one that is passed on', 'ImageStatus'],
    ['one of v1alpha2', '/runtime.v1alpha2.ImageService/ImageStatus'],
    ['one that nobody here knows', '/some.v7.Service/Method'],
    ['one of a path that is none', '/a/b/c'],
  ])('of %s comes through byte for byte, with its metadata', async (_case, method) => {
    const message = randomBytes(300);
    const answer = randomBytes(400);
    runtime.onCall = (call) =>
      call.reply([answer], {
        headers: { 'x-first': ['one', 'two'] },
        trailers: { 'grpc-status-details-bin': 'CAUSBW9vcHM', 'x-trace-bin': 'AAEC', 'grpc-message': '' },
      });
    const reply = await kubelet.call(method, message, {
      metadata: {
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        'x-many': ['a', 'b'],
      },
    });
    const [seen] = runtime.calls;
    expect(await seen?.body).toEqual(frameMessage(message));
    expect(seen?.path).toBe(method.startsWith('/') ? method : `/runtime.v1.ImageService/${method}`);
    expect({ ...seen?.metadata }).toEqual({
      'content-type': 'application/grpc',
      'user-agent': 'grpc-go/1.58.3',
      te: 'trailers',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'x-many': ['a', 'b'],
    });
    expect(reply.body).toEqual(frameMessage(answer));
    // The date is of the runtime of this test; Go's sends none.
    const { date, ...headers } = reply.headers;
    expect(headers).toEqual({ 'content-type': 'application/grpc', 'x-first': ['one', 'two'] });
    expect(date).toBeDefined();
    expect({ ...reply.trailers }).toEqual({
      'grpc-status': '0',
      'grpc-message': '',
      'grpc-status-details-bin': 'CAUSBW9vcHM',
      'x-trace-bin': 'AAEC',
    });
  });

  it.each(['ListImages', 'ImageStatus', 'PullImage'])(
    '%s that fails keeps code, message, details and metadata',
    async (method) => {
      runtime.onCall = (call) =>
        call.fail(9, 'in use %25', { 'grpc-status-details-bin': 'CAk', 'x-why': 'because' });
      const reply = await kubelet.call(method);
      expect(reply).toMatchObject({ status: 9, message: 'in use %', trailers: undefined });
      expect(reply.headers).toMatchObject({ 'grpc-status-details-bin': 'CAk', 'x-why': 'because' });
    },
  );

  it('may have a message of 16 MiB, there and back', async () => {
    const message = randomBytes(16 * 1024 * 1024);
    runtime.onCall = async (call) => call.reply([(await call.body).subarray(5)]);
    for (const method of ['ListImages', '/x.Y/Z']) {
      const { body, status } = await kubelet.call(method, message);
      expect(status).toBe(0);
      expect(digest(body)).toBe(digest(frameMessage(message)));
    }
  });

  it('that is larger than any runtime takes is refused', async () => {
    const { status } = await kubelet.call('ListImages', Buffer.alloc(16 * 1024 * 1024 + 1));
    expect(status).toBe(8);
    expect(runtime.calls).toHaveLength(0);
  });

  it('whose metadata can not be passed on is refused as what it is', async () => {
    const backend = createCriBackend(runtime.socket, { clock: systemClock });
    const metadata = metadataOf(['user-agent', 'a', 'user-agent', 'b']);
    const call = { path: '/a.B/C', metadata, body: frameMessage(Buffer.alloc(0)) };
    await expect(backend.unary(call, new AbortController().signal)).rejects.toMatchObject({
      code: 3,
      message: expect.stringContaining('user-agent'),
    });
    await backend.close();
  });

  it('that streams comes message by message, while it goes on', async () => {
    let more = (): void => undefined;
    runtime.onCall = ({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.write(frameMessage(Buffer.from('first')));
      more = () => stream.end(frameMessage(Buffer.from('second')));
    };
    const stream = kubelet.session.request({
      ':method': 'POST',
      ':path': '/runtime.v1.ImageService/StreamImages',
    });
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.end(frameMessage(Buffer.alloc(0)));
    const text = () => Buffer.concat(chunks).toString();
    await waitFor('the first message', () => (text().includes('first') ? true : undefined));
    expect(text()).not.toContain('second');
    more();
    await waitFor('the second message', () => (text().includes('second') ? true : undefined));
  });

  it('with anything in its bodies comes out the same', async () => {
    runtime.onCall = async (call) => {
      const body = await call.body;
      call.stream.respond({ ':status': 200 }, { waitForTrailers: true });
      call.stream.once('wantTrailers', () => call.stream.sendTrailers({ 'grpc-status': '0' }));
      call.stream.end(body);
    };
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('ListImages', 'ImageStatus', 'RemoveImage', '/a.B/C'),
        fc.uint8Array({ maxLength: 3000 }),
        async (method, message) => {
          expect((await kubelet.call(method, message)).body).toEqual(frameMessage(message));
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('a client that gives up', () => {
  it.each(['ImageStatus', 'ListImages', 'PullImage'])('ends %s at the runtime too', async (method) => {
    runtime.onCall = () => undefined;
    const cancel = new AbortController();
    const reply = kubelet.call(method, new Uint8Array(), { signal: cancel.signal });
    const seen = await waitFor('the call', () => runtime.calls[0]);
    cancel.abort();
    expect(await seen.closed).toBe(8);
    expect((await reply).reset).toBe(8);
  });

  it('has told the runtime of its deadline', async () => {
    await kubelet.call('PullImage', new Uint8Array(), { timeoutMs: 120_000 });
    // What is left of it: some of the time has passed.
    const [, left] = /^(\d+)m$/.exec(String(runtime.calls[0]?.metadata['grpc-timeout'])) ?? [];
    expect(Number(left)).toBeLessThanOrEqual(120_000);
    expect(Number(left)).toBeGreaterThan(60_000);
  });

  it.each(['ListImages', 'PullImage'])('by its deadline ends %s at the runtime', async (method) => {
    runtime.onCall = () => undefined;
    const { status } = await kubelet.call(method, new Uint8Array(), { timeoutMs: 50 });
    expect(status).toBe(4);
    expect(await runtime.calls[0]?.closed).toBe(8);
  });
});

describe('a runtime that restarts', () => {
  it.each([
    ['says that it is away', 14],
    ['is not initialized yet', 2],
  ])('is not ready while it %s', async (text, code) => {
    const { signal } = new AbortController();
    await service.service.probe(signal);
    runtime.onCall = (call) => call.fail(code, text);
    await expect(service.service.probe(signal)).rejects.toThrow(text);
    runtime.onCall = (call) => call.fail(12, 'unknown service runtime.v1.ImageService');
    await service.service.probe(signal);
  });

  it('is connected to again', async () => {
    expect((await kubelet.call('ImageStatus')).status).toBe(0);
    await runtime.stop();
    expect(await kubelet.call('ImageStatus')).toMatchObject({
      status: 14,
      message: expect.stringContaining(runtime.socket),
    });
    await runtime.start();
    expect((await kubelet.call('ImageStatus')).status).toBe(0);
  });

  it.each(['ImageStatus', 'PullImage'])('in the middle of %s ends it as unavailable', async (method) => {
    runtime.onCall = () => undefined;
    const reply = kubelet.call(method);
    await waitFor('the call', () => runtime.calls[0]);
    await runtime.stop();
    expect((await reply).status).toBe(14);
  });

  it('in the middle of a stream ends it as unavailable', async () => {
    runtime.onCall = ({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.write(frameMessage(Buffer.from('first')), () => void runtime.stop());
    };
    expect((await kubelet.call('StreamImages')).status).toBe(14);
  });

  it.each(['ListImages', 'ImageFsInfo'])('has its last good answer to %s given meanwhile', async (method) => {
    runtime.onCall = (call) => call.reply([Buffer.from('good')]);
    const good = await kubelet.call(method);
    await runtime.stop();
    const stale = await kubelet.call(method);
    expect(stale.body).toEqual(good.body);
    expect(stale.status).toBe(0);
    expect(await service.metrics.registry.metrics()).toContain(
      `drp_image_service_stale_answers_total{backend="cri",method="${method}",reason="away"} 1`,
    );
    // The answer to another question is not known.
    expect((await kubelet.call(method, Buffer.from([1]))).status).toBe(14);
    await runtime.start();
    runtime.onCall = (call) => call.fail(2, 'server is not initialized yet');
    expect((await kubelet.call(method)).body).toEqual(good.body);
    runtime.onCall = (call) => call.reply([Buffer.from('new')]);
    expect((await kubelet.call(method)).body).toEqual(frameMessage(Buffer.from('new')));
  });

  it('keeps its connection and its last good answers when a time limit changes', async () => {
    const backend = { type: 'cri' as const, socket: runtime.socket };
    runtime.onCall = (call) => call.reply([Buffer.from('good')]);
    const good = await kubelet.call('ImageFsInfo');
    service.reload({ backend, timeouts: { slowAnswers: '30s' } });
    await kubelet.call('ImageStatus');
    const [first, second] = runtime.calls.map(({ stream }) => stream.session);
    expect(second).toBe(first);
    await runtime.stop();
    service.reload({ backend, timeouts: { shutdown: '1s' } });
    expect((await kubelet.call('ImageFsInfo')).body).toEqual(good.body);
    service.reload({ backend, timeouts: { staleAnswers: '0s' } });
    await waitFor('a later millisecond', async () =>
      (await kubelet.call('ImageFsInfo')).status === 14 ? true : undefined,
    );
  });

  it('says goodbye first, and calls go on over another connection', async () => {
    let answer = (): void => undefined;
    runtime.onCall = (call) => {
      if (runtime.calls.length > 1) return call.reply([]);
      answer = () => call.reply([Buffer.from('late')]);
      call.stream.session?.goaway();
    };
    const first = kubelet.call('ImageStatus');
    await waitFor('the call', () => runtime.calls[0]);
    await waitFor('another connection', async () =>
      (await kubelet.call('ImageStatus')).status === 0 ? true : undefined,
    );
    answer();
    expect((await first).body).toEqual(frameMessage(Buffer.from('late')));
    await delay(0);
  });
});

it('a runtime that is slow goes on with what it was asked, and its answer is there for the next call', async () => {
  service.reload({
    backend: { type: 'cri', socket: runtime.socket },
    timeouts: { slowAnswers: '1ms' },
  });
  runtime.onCall = (call) => call.reply([Buffer.from('good')]);
  const good = await kubelet.call('ListImages');
  runtime.onCall = () => undefined;
  for (let calls = 0; calls < 3; calls += 1) {
    expect((await kubelet.call('ListImages', undefined, { timeoutMs: 60_000 })).body).toEqual(good.body);
  }
  expect(runtime.calls).toHaveLength(2);
  expect(runtime.calls[1]?.metadata['grpc-timeout']).toBe('110000m');
  runtime.calls[1]?.reply([Buffer.from('newer')]);
  expect(await runtime.calls[1]?.closed).toBe(0);
  await runtime.stop();
  expect((await kubelet.call('ListImages')).body).toEqual(frameMessage(Buffer.from('newer')));
});

it('another image service may stand in front of the runtime', async () => {
  const second = await startService({ backend: { type: 'cri', socket: service.socket } });
  const far = createKubelet(second.socket, { authority: '/run/x.sock' });
  const answer = randomBytes(50);
  runtime.onCall = (call) => call.reply([answer], { trailers: { 'x-trailer': 'kept' } });
  const reply = await far.call('ImageStatus');
  expect(reply.body).toEqual(frameMessage(answer));
  expect(reply.trailers).toMatchObject({ 'x-trailer': 'kept' });
  far.close();
  await second.close();
});

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
