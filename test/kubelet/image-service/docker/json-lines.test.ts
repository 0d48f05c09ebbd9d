import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../../src/kubelet/image-service/docker/errors.ts';
import { jsonLines } from '../../../../src/kubelet/image-service/docker/json-lines.ts';

async function* pieces(body: Buffer, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const places = [0, ...cuts.map((cut) => cut % (body.length + 1)).sort((a, b) => a - b), body.length];
  for (const [index, start] of places.slice(0, -1).entries()) {
    const copy = Buffer.from(body.subarray(start, places[index + 1]));
    yield copy;
    // Its memory is the sender's again.
    copy.fill(0);
  }
}

async function read(text: string, cuts: readonly number[] = [], limit = 1000): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of jsonLines(pieces(Buffer.from(text), cuts), limit)) values.push(value);
  return values;
}

describe('JSON lines', () => {
  it.each([
    ['', []],
    ['\n\r\n \n', []],
    ['{"a":1}', [{ a: 1 }]],
    ['{"a":1}\r\n{"b":2}\n', [{ a: 1 }, { b: 2 }]],
    ['{"a":1}\n\n{"b":2}', [{ a: 1 }, { b: 2 }]],
  ])('%j', async (text, expected) => {
    expect(await read(text)).toEqual(expected);
  });

  it('are the same wherever the pieces end, in the middle of a character too', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ status: fc.string({ unit: 'grapheme' }) }), { maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 10 }),
        fc.constantFrom('\n', '\r\n'),
        async (values, cuts, end) => {
          const text = values.map((value) => `${JSON.stringify(value)}${end}`).join('');
          expect(await read(text, cuts)).toEqual(values);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('end where a line is longer than allowed, however it comes', async () => {
    const long = `${JSON.stringify('x'.repeat(100))}\n`;
    await expect(read(long, [], 50)).rejects.toThrow(EngineError);
    await expect(read(long, [10, 20, 30, 40, 60, 80], 50)).rejects.toThrow(EngineError);
    await expect(read(long, [], 102)).resolves.toHaveLength(1);
  });

  it('end at what is not JSON', async () => {
    await expect(read('{"a":1}\n{"b":')).rejects.toThrow(EngineError);
  });
});
