/** How lengths are written. `indefinite`: ended by a mark; `padded`: longer than need be, as BER allows and DER does not. */
export type LengthForm = 'definite' | 'indefinite' | 'padded';

const CONSTRUCTED = 0x20;

/** One element: its tag, its length, and what is in it. Only constructed ones can have an indefinite length. */
export function element(
  tag: number,
  content: Buffer | readonly Buffer[],
  form: LengthForm = 'definite',
): Buffer {
  const body = Buffer.isBuffer(content) ? content : Buffer.concat(content);
  if (form === 'indefinite' && (tag & CONSTRUCTED) !== 0) {
    return Buffer.concat([Buffer.from([tag, 0x80]), body, Buffer.from([0, 0])]);
  }
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length, form === 'padded'), body]);
}

export function sequence(content: readonly Buffer[], form?: LengthForm): Buffer {
  return element(0x30, content, form);
}

export function set(content: readonly Buffer[], form?: LengthForm): Buffer {
  return element(0x31, content, form);
}

/** @param dotted such as `1.2.840.113549.1.7.1` */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest.flatMap(base128)];
  return element(0x06, Buffer.from(bytes));
}

export const NULL = Buffer.from([0x05, 0x00]);

function lengthOf(length: number, padded: boolean): Buffer {
  if (length < 0x80 && !padded) return Buffer.from([length]);
  const bytes = padded
    ? [0, 0, length >> 8, length & 0xff]
    : length < 0x100
      ? [length]
      : [length >> 8, length & 0xff];
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 0x7f) | 0x80);
  return bytes;
}
