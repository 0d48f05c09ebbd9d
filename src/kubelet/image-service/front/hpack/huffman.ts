import { HpackError } from './errors.ts';

/**
 * The symbols of each code length, in the order of their codes. HPACK's code is canonical: codes of one length count
 * upwards with the symbol, and each length goes on where the one before it ended, so this is all of the table.
 * @see RFC 7541, appendix B
 */
const SYMBOLS_BY_LENGTH: Readonly<Record<number, readonly (number | readonly [from: number, to: number])[]>> =
  {
    5: [[0x30, 0x32], 0x61, 0x63, 0x65, 0x69, 0x6f, [0x73, 0x74]],
    6: [
      0x20,
      0x25,
      [0x2d, 0x2f],
      [0x33, 0x39],
      0x3d,
      0x41,
      0x5f,
      0x62,
      0x64,
      [0x66, 0x68],
      [0x6c, 0x6e],
      0x70,
      0x72,
      0x75,
    ],
    7: [0x3a, [0x42, 0x57], 0x59, [0x6a, 0x6b], 0x71, [0x76, 0x7a]],
    8: [0x26, 0x2a, 0x2c, 0x3b, 0x58, 0x5a],
    10: [[0x21, 0x22], [0x28, 0x29], 0x3f],
    11: [0x27, 0x2b, 0x7c],
    12: [0x23, 0x3e],
    13: [0x00, 0x24, 0x40, 0x5b, 0x5d, 0x7e],
    14: [0x5e, 0x7d],
    15: [0x3c, 0x60, 0x7b],
    19: [0x5c, 0xc3, 0xd0],
    20: [0x80, [0x82, 0x83], 0xa2, 0xb8, 0xc2, 0xe0, 0xe2],
    21: [0x99, 0xa1, 0xa7, 0xac, [0xb0, 0xb1], 0xb3, 0xd1, [0xd8, 0xd9], 0xe3, [0xe5, 0xe6]],
    22: [
      0x81,
      [0x84, 0x86],
      0x88,
      0x92,
      0x9a,
      0x9c,
      0xa0,
      [0xa3, 0xa4],
      [0xa9, 0xaa],
      0xad,
      0xb2,
      0xb5,
      [0xb9, 0xbb],
      [0xbd, 0xbe],
      0xc4,
      0xc6,
      0xe4,
      [0xe8, 0xe9],
    ],
    23: [
      0x01,
      0x87,
      [0x89, 0x8d],
      0x8f,
      0x93,
      [0x95, 0x98],
      0x9b,
      [0x9d, 0x9e],
      [0xa5, 0xa6],
      0xa8,
      [0xae, 0xaf],
      0xb4,
      [0xb6, 0xb7],
      0xbc,
      0xbf,
      0xc5,
      0xe7,
      0xef,
    ],
    24: [0x09, 0x8e, [0x90, 0x91], 0x94, 0x9f, 0xab, 0xce, 0xd7, 0xe1, [0xec, 0xed]],
    25: [0xc7, 0xcf, [0xea, 0xeb]],
    26: [[0xc0, 0xc1], [0xc8, 0xca], 0xcd, 0xd2, 0xd5, [0xda, 0xdb], 0xee, 0xf0, [0xf2, 0xf3], 0xff],
    27: [0xcb, 0xcc, [0xd3, 0xd4], 0xd6, [0xdd, 0xdf], 0xf1, [0xf4, 0xf8], [0xfa, 0xfe]],
    28: [[0x02, 0x08], [0x0b, 0x0c], [0x0e, 0x15], [0x17, 0x1f], 0x7f, 0xdc, 0xf9],
    30: [0x0a, 0x0d, 0x16, 0x100],
  };
const LONGEST_BITS = 30;
const END_OF_STRING = 0x100;
/** What is left over in the last byte is filled with ones, and is shorter than a byte. */
const MOST_PADDING_BITS = 7;

interface Length {
  readonly firstCode: number;
  readonly symbols: readonly number[];
}

const LENGTHS = canonicalCode();

function canonicalCode(): readonly Length[] {
  let code = 0;
  return Array.from({ length: LONGEST_BITS + 1 }, (_, bits) => {
    code *= 2;
    const symbols = (SYMBOLS_BY_LENGTH[bits] ?? []).flatMap((entry) => {
      const [from, to] = typeof entry === 'number' ? [entry, entry] : entry;
      return Array.from({ length: to - from + 1 }, (_, index) => from + index);
    });
    const firstCode = code;
    code += symbols.length;
    return { firstCode, symbols };
  });
}

/**
 * Decodes a Huffman coded string.
 * @param limitBytes of the result
 * @throws {HpackError} for a string that can't end where it does, and for one that is longer
 */
export function decodeHuffman(bytes: Uint8Array, limitBytes: number): Buffer {
  const result: number[] = [];
  let code = 0;
  let bits = 0;
  for (const byte of bytes) {
    for (let shift = 7; shift >= 0; shift -= 1) {
      code = code * 2 + ((byte >> shift) & 1);
      bits += 1;
      const { firstCode, symbols } = LENGTHS[bits] ?? NO_LENGTH;
      const symbol = code >= firstCode ? symbols[code - firstCode] : undefined;
      if (symbol === undefined) {
        if (bits >= LONGEST_BITS) throw new HpackError('compression', 'no such Huffman code');
        continue;
      }
      if (symbol === END_OF_STRING) throw new HpackError('compression', 'a string holds its own end');
      if (result.length >= limitBytes) throw new HpackError('too-large', 'a header is too long');
      result.push(symbol);
      code = 0;
      bits = 0;
    }
  }
  if (bits > MOST_PADDING_BITS || code !== 2 ** bits - 1) {
    throw new HpackError('compression', 'a Huffman coded string is cut short');
  }
  return Buffer.from(result);
}

const NO_LENGTH: Length = { firstCode: Number.POSITIVE_INFINITY, symbols: [] };
