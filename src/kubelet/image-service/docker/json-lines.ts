import { EngineError } from './errors.ts';

const NEWLINE = 0x0a;

/**
 * Splits a stream into lines and reads each as JSON, wherever the pieces begin and end. Empty lines are left out.
 * @throws {EngineError} for a line that isn't JSON, and for one that is longer than `limitBytes`
 */
export async function* jsonLines(
  body: AsyncIterable<Uint8Array>,
  limitBytes: number,
): AsyncGenerator<unknown> {
  let kept: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      checkSize(size + end - start, limitBytes);
      kept.push(Buffer.from(chunk.subarray(start, end)));
      yield* parseLine(kept);
      kept = [];
      size = 0;
      start = end + 1;
    }
    size += chunk.length - start;
    checkSize(size, limitBytes);
    kept.push(Buffer.from(chunk.subarray(start)));
  }
  yield* parseLine(kept);
}

function checkSize(size: number, limitBytes: number): void {
  if (size <= limitBytes) return;
  throw new EngineError(200, `Docker Engine answered with a line of more than ${limitBytes} bytes`);
}

function* parseLine(pieces: readonly Buffer[]): Generator<unknown> {
  const text = Buffer.concat(pieces).toString('utf8').trim();
  if (text === '') return;
  try {
    yield JSON.parse(text) as unknown;
  } catch (cause) {
    throw new EngineError(200, 'Docker Engine answered with a line that is not JSON', { cause });
  }
}
