import { once } from 'node:events';
import { connect } from 'node:http2';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FRAME_TYPE } from '../../../../src/kubelet/image-service/front/frame.ts';
import {
  createHpackDecoder,
  encodeLiterals,
} from '../../../../src/kubelet/image-service/front/hpack/index.ts';
import { splitFrames } from './frames.ts';

const LIMITS = { tableSizeBytes: 4096, listLimitBytes: 65_536 };
/** As many as a client opens before the server has said how many it may. */
const STREAMS = 90;
type Headers = readonly (readonly [name: string, value: string])[];

/** The header blocks that Node's own HTTP/2 client makes of some requests on one connection. */
async function blocksOf(requests: readonly Headers[]): Promise<Buffer[]> {
  const sent: Buffer[] = [];
  const frames = () =>
    splitFrames(Buffer.concat(sent)).flatMap(({ type, payload }) =>
      type === FRAME_TYPE.HEADERS ? [payload] : [],
    );
  const transport = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      sent.push(Buffer.from(chunk));
      done();
    },
  });
  const session = connect('http://localhost', { createConnection: () => transport });
  session.on('error', () => undefined);
  await once(session, 'connect');
  for (const headers of requests) {
    session.request({ ':path': '/', ...Object.fromEntries(headers) }).on('error', () => undefined);
  }
  while (frames().length < requests.length) await new Promise((resolve) => setImmediate(resolve));
  session.destroy();
  return frames();
}

function decodeAll(blocks: readonly Buffer[]): string[][][] {
  const decoder = createHpackDecoder(LIMITS);
  return blocks.map((block) =>
    decoder.decode(block).map(({ name, value }) => [name.toString('latin1'), value.toString('latin1')]),
  );
}

const headerName = fc.stringMatching(/^x-[a-z0-9]{1,8}$/);
const anyByte = fc.integer({ min: 1, max: 255 }).filter((code) => code !== 10 && code !== 13);
const headerValue = fc.oneof(
  fc.array(anyByte, { maxLength: 40 }).map((codes) => String.fromCharCode(...codes)),
  fc.stringMatching(/^[a-z0-9/. -]{0,60}$/),
  fc.constantFrom('', 'trailers', '/run/containerd/containerd.sock'),
);
const request = fc
  .dictionary(headerName, headerValue, { maxKeys: 8 })
  .map((headers) => Object.entries(headers));

describe('the HPACK decoder', () => {
  it("reads what Node's encoder writes, Huffman codes and dynamic table included", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 6 }), async (requests) => {
        const decoded = decodeAll(await blocksOf(requests));
        const own = decoded.map((headers) => headers.filter(([name]) => name?.startsWith('x-')));
        expect(own).toEqual(requests);
      }),
      { numRuns: 60 },
    );
  });

  it('knows the Huffman code of each byte', async () => {
    // Many short codes around it make the whole string worth coding.
    const values = Array.from({ length: 255 }, (_, index) => String.fromCharCode(index + 1))
      .filter((character) => !/[\r\n]/.test(character))
      .map((character): Headers => [['x-value', `${'e'.repeat(30)}${character}${'e'.repeat(30)}`]]);
    for (let from = 0; from < values.length; from += STREAMS) {
      const some = values.slice(from, from + STREAMS);
      const blocks = await blocksOf(some);
      const decoded = decodeAll(blocks).map((headers) => headers.find(([name]) => name === 'x-value'));
      expect(decoded).toEqual(some.map(([pair]) => pair));
      // 60 bytes and more if it were not coded.
      expect(Math.max(...blocks.slice(1).map((block) => block.length))).toBeLessThan(60);
    }
  });

  it('makes use of the dynamic table', async () => {
    const same: Headers = [['x-long', 'v'.repeat(200)]];
    const [first, second] = await blocksOf([same, same]);
    expect(second?.length).toBeLessThan((first?.length ?? 0) / 4);
    expect(decodeAll([first ?? Buffer.alloc(0), second ?? Buffer.alloc(0)])[1]).toContainEqual(same[0]);
  });

  it('gives back what was encoded as literals', () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
    const field = fc.record({ name: bytes, value: bytes, neverIndexed: fc.boolean() });
    fc.assert(
      fc.property(fc.array(field, { maxLength: 10 }), (fields) => {
        expect(createHpackDecoder(LIMITS).decode(encodeLiterals(fields))).toEqual(fields);
      }),
    );
  });

  it.each([
    ['index 0', '80'],
    ['an index beyond the tables', 'ff8001'],
    ['an endless integer', 'ffffffffffffffff'],
    ['a literal without a value', '0001'],
    ['a string longer than the block', '00057878'],
    ['a table larger than agreed', '3fe2ff03'],
    ['a new table size after a header', '8220'],
    ['Huffman padding of zeroes', '0001788100'],
    ['a whole byte of Huffman padding', '00017882ffff'],
    ['the end-of-string symbol', '00017884fffffffc'],
  ])('refuses %s', (_case, hex) => {
    expect(() => createHpackDecoder(LIMITS).decode(Buffer.from(hex, 'hex'))).toThrow(
      expect.objectContaining({ reason: 'compression' }),
    );
  });

  it('never fails in another way, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 4 }), (blocks) => {
        const decoder = createHpackDecoder(LIMITS);
        try {
          for (const block of blocks) decoder.decode(Buffer.from(block));
        } catch (error) {
          expect(error).toMatchObject({ name: 'HpackError' });
        }
      }),
      { numRuns: 500 },
    );
  });

  it('bounds what a few bytes can make of a large entry', () => {
    const decoder = createHpackDecoder(LIMITS);
    const entry = encodeLiterals([
      { name: Buffer.from('x'), value: Buffer.alloc(3900, 'v'), neverIndexed: false },
    ]);
    entry[0] = 0x40;
    decoder.decode(entry);
    expect(() => decoder.decode(Buffer.alloc(1000, 0x80 | 62))).toThrow(
      expect.objectContaining({ reason: 'too-large' }),
    );
  });
});
