/** Where an element's content stands, and where the next element begins. */
interface Extent {
  readonly end: number;
}

const MAXIMUM_DEPTH = 32;
const CONSTRUCTED = 0x20;
const INDEFINITE = 0x80;
const MAXIMUM_LENGTH_BYTES = 4;

/**
 * Whether bytes are exactly one element of BER, down to the last one inside: each length ends where its element does, each
 * indefinite length has its mark, and nothing is nested without need. Libraries are lenient here, and what is lenient can be
 * read in two ways.
 * @see ITU-T X.690, section 8.1
 */
export function isWellFormedBer(bytes: Buffer): boolean {
  return readElement(bytes, 0, bytes.length, 0)?.end === bytes.length;
}

function readElement(bytes: Buffer, start: number, limit: number, depth: number): Extent | undefined {
  const tag = bytes[start];
  const first = bytes[start + 1];
  // Tags of several bytes do not occur in these messages; neither do those that end an indefinite length, here.
  if (tag === undefined || first === undefined || start + 2 > limit) return undefined;
  if ((tag & 0x1f) === 0x1f || tag === 0 || depth > MAXIMUM_DEPTH) return undefined;
  const isConstructed = (tag & CONSTRUCTED) !== 0;
  if (first === INDEFINITE) return isConstructed ? readUntilMark(bytes, start + 2, limit, depth) : undefined;
  const lengthBytes = first < INDEFINITE ? 0 : first & 0x7f;
  const begin = start + 2 + lengthBytes;
  if (lengthBytes > MAXIMUM_LENGTH_BYTES || begin > limit) return undefined;
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(start + 2, lengthBytes);
  const end = begin + length;
  if (end > limit) return undefined;
  return !isConstructed || areElements(bytes, begin, end, depth) ? { end } : undefined;
}

function areElements(bytes: Buffer, begin: number, end: number, depth: number): boolean {
  for (let at = begin; at < end; ) {
    const element = readElement(bytes, at, end, depth + 1);
    if (!element) return false;
    at = element.end;
  }
  return true;
}

function readUntilMark(bytes: Buffer, begin: number, limit: number, depth: number): Extent | undefined {
  for (let at = begin; at + 2 <= limit; ) {
    if (bytes[at] === 0 && bytes[at + 1] === 0) return { end: at + 2 };
    const element = readElement(bytes, at, limit, depth + 1);
    if (!element) return undefined;
    at = element.end;
  }
  return undefined;
}
