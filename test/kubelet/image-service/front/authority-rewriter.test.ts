import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAuthorityRewriter } from '../../../../src/kubelet/image-service/front/authority-rewriter.ts';
import { FLAG, FRAME_TYPE, frame, PREFACE } from '../../../../src/kubelet/image-service/front/frame.ts';
import {
  createHpackDecoder,
  encodeLiterals,
} from '../../../../src/kubelet/image-service/front/hpack/index.ts';
import { type Frame, splitFrames } from './frames.ts';

type Field = readonly [name: string, value: string];

const REQUEST: readonly Field[] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/runtime.v1.ImageService/ListImages'],
  [':authority', '/run/containerd/containerd.sock'],
  ['te', 'trailers'],
];

function block(fields: readonly Field[]): Buffer {
  return encodeLiterals(
    fields.map(([name, value]) => ({
      name: Buffer.from(name),
      value: Buffer.from(value),
      neverIndexed: false,
    })),
  );
}

function fieldsOf(bytes: Buffer): Field[] {
  return createHpackDecoder({ tableSizeBytes: 0, listLimitBytes: 1_000_000 })
    .decode(bytes)
    .map(({ name, value }) => [name.toString(), value.toString()]);
}

/** What comes out for these frames, sent in chunks of the sizes that `cut` gives. */
function rewrite(frames: readonly Buffer[], cut: () => number = () => 65_536): Frame[] {
  const rewriter = createAuthorityRewriter();
  const input = Buffer.concat([PREFACE, ...frames]);
  const output: Buffer[] = [];
  for (let from = 0; from < input.length; ) {
    const size = cut();
    // Memory that is used again, as a socket's may be.
    const chunk = Buffer.from(input.subarray(from, from + size));
    output.push(...rewriter.rewrite(chunk).map((part) => Buffer.from(part)));
    chunk.fill(0xee);
    from += size;
  }
  const bytes = Buffer.concat(output);
  expect(bytes.subarray(0, PREFACE.length)).toEqual(PREFACE);
  return splitFrames(bytes);
}

function headersFrame(payload: Buffer, flags: number, streamId = 1): Buffer {
  return frame(FRAME_TYPE.HEADERS, flags, streamId, payload);
}

const EXPECTED = REQUEST.map(([name, value]) => [name, name === ':authority' ? 'localhost' : value]);

describe('headers', () => {
  it.each(['/run/x.sock', '%2Frun%2Fx.sock', '', 'localhost', 'docker.example.com:5000'])(
    'with the authority %j get localhost, and nothing else changes',
    (authority) => {
      const fields = REQUEST.map(([name, value]): Field => [name, name === ':authority' ? authority : value]);
      const [out] = rewrite([headersFrame(block(fields), FLAG.END_HEADERS | 0x1)]);
      expect(out).toMatchObject({ type: FRAME_TYPE.HEADERS, flags: FLAG.END_HEADERS | 0x1, streamId: 1 });
      expect(fieldsOf(out?.payload ?? Buffer.alloc(0))).toEqual(EXPECTED);
    },
  );

  it('with padding and priority keep the priority', () => {
    const priority = Buffer.from([0x80, 0, 0, 3, 7]);
    const payload = Buffer.concat([Buffer.of(4), priority, block(REQUEST), Buffer.alloc(4)]);
    const [out] = rewrite([headersFrame(payload, FLAG.END_HEADERS | FLAG.PADDED | FLAG.PRIORITY)]);
    expect(out?.flags).toBe(FLAG.END_HEADERS | FLAG.PRIORITY);
    expect(out?.payload.subarray(0, 5)).toEqual(priority);
    expect(fieldsOf(out?.payload.subarray(5) ?? Buffer.alloc(0))).toEqual(EXPECTED);
  });

  it('in many CONTINUATION frames become one frame', () => {
    const bytes = [...block(REQUEST)].map((byte) => Buffer.of(byte));
    const frames = bytes.map((byte, index) => {
      const flags = index === bytes.length - 1 ? FLAG.END_HEADERS : 0;
      return frame(
        index === 0 ? FRAME_TYPE.HEADERS : FRAME_TYPE.CONTINUATION,
        index === 0 ? 1 : flags,
        3,
        byte,
      );
    });
    const out = rewrite(frames, () => 1);
    expect(out).toHaveLength(1);
    expect(out[0]).toMatchObject({ flags: FLAG.END_HEADERS | 1, streamId: 3 });
    expect(fieldsOf(out[0]?.payload ?? Buffer.alloc(0))).toEqual(EXPECTED);
  });

  it('that no longer fit into one frame go on in CONTINUATION frames', () => {
    const large: Field[] = [...REQUEST, ['x-large', 'v'.repeat(30_000)]];
    const bytes = block(large);
    const out = rewrite([
      headersFrame(bytes.subarray(0, 16_384), 1),
      frame(FRAME_TYPE.CONTINUATION, FLAG.END_HEADERS, 1, bytes.subarray(16_384)),
    ]);
    expect(out.map(({ type, flags }) => [type, flags])).toEqual([
      [FRAME_TYPE.HEADERS, 1],
      [FRAME_TYPE.CONTINUATION, FLAG.END_HEADERS],
    ]);
    expect(Math.max(...out.map(({ payload }) => payload.length))).toBeLessThanOrEqual(16_384);
    expect(fieldsOf(Buffer.concat(out.map(({ payload }) => payload)))).toEqual([
      ...EXPECTED,
      ['x-large', 'v'.repeat(30_000)],
    ]);
  });

  it('that a sender wants in no table are sent on so', () => {
    const field = { name: Buffer.from('authorization'), value: Buffer.from('x'), neverIndexed: true };
    const [out] = rewrite([headersFrame(encodeLiterals([field]), FLAG.END_HEADERS)]);
    expect(out?.payload[0]).toBe(0x10);
  });
});

describe('everything else', () => {
  const otherFrame = fc
    .record({
      type: fc.integer({ min: 0, max: 255 }).filter((type) => type !== FRAME_TYPE.HEADERS),
      flags: fc.integer({ min: 0, max: 255 }),
      streamId: fc.integer({ min: 0, max: 0x7fff_ffff }),
      payload: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    })
    .map(({ type, flags, streamId, payload }) => frame(type, flags, streamId, payload));
  const headers = fc
    .dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.stringMatching(/^[ -~]{0,40}$/), { maxKeys: 5 })
    .map((fields) => headersFrame(block(Object.entries(fields)), FLAG.END_HEADERS));
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 });

  it('comes out as it went in, cut anywhere; headers without an authority too', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(otherFrame, headers), { maxLength: 12 }), sizes, (frames, cuts) => {
        let next = 0;
        const cut = () => cuts[next++ % cuts.length] ?? 1;
        expect(rewrite(frames, cut)).toEqual(splitFrames(Buffer.concat([PREFACE, ...frames])));
      }),
      { numRuns: 300 },
    );
  });
});

describe('what ends the connection', () => {
  const PROTOCOL_ERROR = 1;
  const FRAME_SIZE_ERROR = 6;
  const COMPRESSION_ERROR = 9;
  const ENHANCE_YOUR_CALM = 11;
  const open = headersFrame(Buffer.alloc(0), 0);

  it.each([
    ['headers outside of a stream', [headersFrame(block(REQUEST), FLAG.END_HEADERS, 0)], PROTOCOL_ERROR],
    [
      'more padding than frame',
      [headersFrame(Buffer.of(9, 1), FLAG.END_HEADERS | FLAG.PADDED)],
      PROTOCOL_ERROR,
    ],
    [
      'a priority that is cut short',
      [headersFrame(Buffer.of(0), FLAG.END_HEADERS | FLAG.PRIORITY)],
      PROTOCOL_ERROR,
    ],
    ['another frame within headers', [open, frame(0x6, 0, 0, Buffer.alloc(8))], PROTOCOL_ERROR],
    [
      'a CONTINUATION of another stream',
      [open, frame(FRAME_TYPE.CONTINUATION, 0, 3, Buffer.alloc(1))],
      PROTOCOL_ERROR,
    ],
    ['a frame of headers that is too large', [headersFrame(Buffer.alloc(16_385), 0)], FRAME_SIZE_ERROR],
    ['headers that can not be read', [headersFrame(Buffer.of(0x80), FLAG.END_HEADERS)], COMPRESSION_ERROR],
    [
      'headers that are too large',
      [
        headersFrame(
          block([
            ['x', 'v'.repeat(16_000)],
            ['y', 'v'.repeat(300)],
          ]),
          0,
        ),
        ...continued(3),
      ],
      ENHANCE_YOUR_CALM,
    ],
    ['a flood of empty CONTINUATION frames', [open, ...continued(1024, Buffer.alloc(0))], ENHANCE_YOUR_CALM],
  ])('%s', (_case, frames, code) => {
    expect(() => rewrite(frames)).toThrow(expect.objectContaining({ code }));
  });

  it('a client that does not speak HTTP/2', () => {
    expect(() => createAuthorityRewriter().rewrite(Buffer.from('GET / HTTP/1.1\r\n'))).toThrow(
      expect.objectContaining({ code: PROTOCOL_ERROR }),
    );
  });

  it('and nothing else, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const rewriter = createAuthorityRewriter();
        rewriter.rewrite(PREFACE);
        try {
          rewriter.rewrite(Buffer.from(bytes));
        } catch (error) {
          expect(error).toMatchObject({ name: 'ConnectionError' });
        }
      }),
      { numRuns: 500 },
    );
  });
});

function continued(count: number, payload = block([['z', 'v'.repeat(16_000)]])): Buffer[] {
  return Array.from({ length: count }, (_, index) =>
    frame(FRAME_TYPE.CONTINUATION, index === count - 1 ? FLAG.END_HEADERS : 0, 1, payload),
  );
}
