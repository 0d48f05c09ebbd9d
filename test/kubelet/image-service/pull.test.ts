import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  AuthConfigSchema,
  PullImageRequestSchema,
} from '../../../src/kubelet/image-service/gen/runtime/v1/image_pb.ts';
import { readPullRequest, withAuth } from '../../../src/kubelet/image-service/pull-request.ts';
import { waitFor } from '../../support/wait.ts';
import { createKubelet, type Kubelet } from './support/kubelet.ts';
import { type FakeRuntime, type SeenCall, startFakeRuntime } from './support/runtime.ts';
import { type OptionsInput, type RunningService, startService } from './support/service.ts';

const IMAGE = 'docker.example.com/team/app:1';
const PASSWORD = 'canary-of-the-provider';
const KUBELETS_PASSWORD = 'canary-of-kubelet';

type Field = readonly [number: number, bytes: Uint8Array];

function encode(fields: readonly Field[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const [number, bytes] of fields) writer.tag(number, WireType.LengthDelimited).bytes(bytes);
  return writer.finish();
}

const auth = create(AuthConfigSchema, { username: 'me', password: 'secret', serverAddress: 'https://x' });

describe('a request with another credential', () => {
  const field = fc.tuple(fc.integer({ min: 1, max: 200 }), fc.uint8Array({ maxLength: 40 }));

  it('keeps every other field, known or not, in its order', () => {
    fc.assert(
      fc.property(fc.array(field, { maxLength: 12 }), (fields) => {
        const others = fields.filter(([number]) => number !== 2);
        const message = encode(fields);
        expect(withAuth(message, undefined)).toEqual(Buffer.from(encode(others)));
        const own: Field = [2, toBinary(AuthConfigSchema, auth)];
        expect(withAuth(message, auth)).toEqual(Buffer.from(encode([...others, own])));
      }),
    );
  });

  it('keeps numbers and groups that nobody knows', () => {
    const message = new BinaryWriter()
      .tag(99, WireType.Varint)
      .uint64(2n ** 60n)
      .tag(2, WireType.LengthDelimited)
      .bytes(toBinary(AuthConfigSchema, auth))
      .tag(98, WireType.Bit32)
      .fixed32(7)
      .tag(97, WireType.Bit64)
      .fixed64(8n)
      .tag(96, WireType.StartGroup)
      .tag(2, WireType.Varint)
      .uint32(1)
      .tag(96, WireType.EndGroup)
      .finish();
    const without = withAuth(message, undefined);
    expect(without.length).toBe(message.length - toBinary(AuthConfigSchema, auth).length - 2);
    expect(withAuth(without, undefined)).toEqual(without);
  });

  it('is not made of what is no message', () => {
    expect(readPullRequest(Buffer.from([0x0a, 0x50, 1]))).toBeUndefined();
  });
});

describe('PullImage', () => {
  let runtime: FakeRuntime;
  let service: RunningService;
  let kubelet: Kubelet;

  beforeEach(async () => {
    runtime = await startFakeRuntime();
    service = await startService(options());
    kubelet = createKubelet(service.socket, { authority: '/run/x.sock' });
  });

  afterEach(async () => {
    kubelet.close();
    await service.close();
    await runtime.close();
  });

  function options(
    order: 'kubelet-first' | 'provider-first' | 'provider-only' = 'provider-first',
  ): OptionsInput {
    const provider = { type: 'static' as const, username: 'node', password: PASSWORD };
    return {
      backend: { type: 'cri', socket: runtime.socket },
      credentials: [{ images: ['docker.example.com/**', 'docker.io/**'], provider, order }],
    };
  }

  async function authOf(call: SeenCall | undefined) {
    return fromBinary(PullImageRequestSchema, ((await call?.body) ?? Buffer.alloc(0)).subarray(5)).auth;
  }

  function request(image: string, withKubelets = false): Uint8Array {
    return toBinary(
      PullImageRequestSchema,
      create(PullImageRequestSchema, {
        image: { image },
        ...(withKubelets && { auth: { username: 'pod', password: KUBELETS_PASSWORD } }),
        sandboxConfig: { metadata: { name: 'web', namespace: 'default' } },
      }),
    );
  }

  it.each([
    [IMAGE, 'https://docker.example.com'],
    ['docker.example.com:5000/app@sha256:'.concat('a'.repeat(64)), 'https://docker.example.com:5000'],
    ['docker.example.com:443/team/app', 'https://docker.example.com:443'],
    ['nginx', 'https://registry-1.docker.io'],
    ['docker.io/library/nginx:1', 'https://registry-1.docker.io'],
  ])('of %s is given the credential for %s', async (image, serverAddress) => {
    service.reload({
      ...options(),
      credentials: [
        {
          images: ['docker.example.com/**', 'docker.example.com:5000/**', 'docker.io/**'],
          provider: { type: 'static', username: 'node', password: PASSWORD },
          order: 'provider-first',
        },
      ],
    });
    expect((await kubelet.call('PullImage', request(image))).status).toBe(0);
    expect(await authOf(runtime.calls[0])).toMatchObject({
      username: 'node',
      password: PASSWORD,
      serverAddress,
    });
  });

  it.each(['quay.io/team/app:1', 'a'.repeat(64), 'Not A Reference', ''])(
    'of %j, which no rule means, is passed on as it came',
    async (image) => {
      const message = request(image, true);
      await kubelet.call('PullImage', message);
      expect((await runtime.calls[0]?.body)?.subarray(5)).toEqual(Buffer.from(message));
    },
  );

  it('that is no message is left to the runtime to refuse', async () => {
    runtime.onCall = (call) => call.fail(13, 'no message');
    const nonsense = Buffer.from([0x0a, 0x50, 1]);
    expect(await kubelet.call('PullImage', nonsense)).toMatchObject({ status: 13, message: 'no message' });
    expect((await runtime.calls[0]?.body)?.subarray(5)).toEqual(nonsense);
  });

  it("goes on with kubelet's credential when the provider's is turned away, in less time", async () => {
    runtime.onCall = async (call) => {
      const { username } = (await authOf(call)) ?? {};
      if (username === 'node') call.fail(2, 'failed to authorize: 401 Unauthorized', { 'x-why': 'provider' });
      else call.reply([Buffer.from('pulled')]);
    };
    const reply = await kubelet.call('PullImage', request(IMAGE, true), { timeoutMs: 60_000 });
    expect(reply.status).toBe(0);
    expect(runtime.calls).toHaveLength(2);
    expect(await authOf(runtime.calls[1])).toMatchObject({ username: 'pod', password: KUBELETS_PASSWORD });
    expect((await runtime.calls[1]?.body)?.subarray(5)).toEqual(Buffer.from(request(IMAGE, true)));
    const left = Number.parseInt(String(runtime.calls[1]?.metadata['grpc-timeout']), 10);
    expect(left).toBeLessThanOrEqual(60_000);
    const metrics = await service.metrics.registry.metrics();
    expect(metrics).toContain('pull_attempts_total{backend="cri",source="provider",outcome="turned-away"} 1');
    expect(metrics).toContain('pull_attempts_total{backend="cri",source="kubelet",outcome="pulled"} 1');
    expect(metrics).toContain(
      'pull_fallbacks_total{backend="cri",from="provider",to="kubelet",reason="turned-away"} 1',
    );
  });

  it('that fails ends with the answer of the last attempt, details and all', async () => {
    runtime.onCall = (call) =>
      call.fail(2, 'failed to authorize: 401 Unauthorized', { 'grpc-status-details-bin': 'CAI' });
    const reply = await kubelet.call('PullImage', request(IMAGE, true));
    expect(reply).toMatchObject({ status: 2, message: 'failed to authorize: 401 Unauthorized' });
    expect(reply.headers['grpc-status-details-bin']).toBe('CAI');
    const warnings = service.logLines.map((line) => JSON.parse(line)).filter(({ level }) => level === 'warn');
    expect(warnings).toMatchObject([
      { method: 'PullImage', image: IMAGE, source: 'kubelet', code: 2, reason: reply.message },
    ]);
  });

  it('may be compressed', async () => {
    const { gzipSync } = await import('node:zlib');
    const message = gzipSync(request(IMAGE));
    const framed = Buffer.concat([Buffer.alloc(5), message]);
    framed[0] = 1;
    framed.writeUInt32BE(message.length, 1);
    const stream = kubelet.session.request({
      ':method': 'POST',
      ':path': '/runtime.v1.ImageService/PullImage',
      'grpc-encoding': 'gzip',
      te: 'trailers',
    });
    stream.end(framed);
    stream.resume();
    await new Promise((resolve) => stream.once('close', resolve));
    expect(await authOf(runtime.calls[0])).toMatchObject({ username: 'node' });
  });

  it('fifty times at once is passed on fifty times', async () => {
    runtime.onCall = async (call) => call.reply([Buffer.from((await authOf(call))?.username ?? '')]);
    const images = Array.from({ length: 50 }, (_, index) => `docker.example.com/team/app:${index}`);
    const replies = await Promise.all(images.map((image) => kubelet.call('PullImage', request(image))));
    expect(replies.every(({ body }) => body.subarray(5).toString() === 'node')).toBe(true);
  });

  it('that runs ends with what it began with when the options change', async () => {
    let answer = (): void => undefined;
    runtime.onCall = (call) => {
      answer = () => call.reply([Buffer.from('old')]);
    };
    const running = kubelet.call('PullImage', request(IMAGE));
    await waitFor('the pull', () => runtime.calls[0]);
    const second = await startFakeRuntime();
    second.onCall = (call) => call.reply([Buffer.from('new')]);
    service.reload({ backend: { type: 'cri', socket: second.socket } });
    expect((await kubelet.call('PullImage', request(IMAGE))).body.subarray(5).toString()).toBe('new');
    expect(await authOf(second.calls[0])).toBeUndefined();
    answer();
    expect((await running).body.subarray(5).toString()).toBe('old');
    await second.close();
  });

  it('leaves no secret in the log or the metrics', async () => {
    runtime.onCall = (call) => call.fail(2, 'failed to authorize: 401 Unauthorized');
    await kubelet.call('PullImage', request(IMAGE, true));
    await runtime.stop();
    await kubelet.call('PullImage', request(IMAGE, true));
    const told = service.logLines.join('') + (await service.metrics.registry.metrics());
    expect(told).toContain('PullImage');
    expect(told).not.toMatch(/canary/);
  });
});
