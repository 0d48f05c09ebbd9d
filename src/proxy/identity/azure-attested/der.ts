import { DocumentError } from './document-error.ts';

/** One value of DER. */
export interface DerElement {
  /** Its first byte: class, form and number. */
  readonly tag: number;
  readonly content: Buffer;
  /** Header and content, as they stand in the message. */
  readonly bytes: Buffer;
}

export const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  sequence: 0x30,
  set: 0x31,
  /** Constructed, of the context. */
  context0: 0xa0,
} as const;

const HIGH_TAG_NUMBER = 0x1f;
const LONG_FORM = 0x80;
const LONGEST_LENGTH_BYTES = 3;

/**
 * Takes a list of values apart, one level deep. Libraries read BER, in which a message can be written in many ways; here there
 * is one way only, so that no byte is without a meaning: lengths are definite and as short as can be, and nothing is left over.
 * @throws {DocumentError}
 * @see ITU-T X.690, sections 8.1 and 10.1
 */
export function derElements(bytes: Buffer): DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = readElement(bytes.subarray(at));
    elements.push(element);
    at += element.bytes.length;
  }
  return elements;
}

/**
 * The values inside of an element, which has to have this tag.
 * @throws {DocumentError}
 */
export function derChildren(element: DerElement | undefined, tag: number): DerElement[] {
  if (element?.tag !== tag) throw malformed();
  return derElements(element.content);
}

/** @throws {DocumentError} for anything but an element with this tag */
export function derContent(element: DerElement | undefined, tag: number): Buffer {
  if (element?.tag !== tag) throw malformed();
  return element.content;
}

export function malformed(): DocumentError {
  return new DocumentError('it is no signed message in DER');
}

function readElement(bytes: Buffer): DerElement {
  const [tag, first] = bytes;
  if (tag === undefined || first === undefined || (tag & HIGH_TAG_NUMBER) === HIGH_TAG_NUMBER)
    throw malformed();
  const lengthBytes = first < LONG_FORM ? 0 : first - LONG_FORM;
  if (first === LONG_FORM || lengthBytes > LONGEST_LENGTH_BYTES) throw malformed();
  const header = 2 + lengthBytes;
  if (bytes.length < header) throw malformed();
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(2, lengthBytes);
  const isShortest = lengthBytes === 0 || (length >= LONG_FORM && bytes[2] !== 0);
  if (!isShortest || bytes.length < header + length) throw malformed();
  return { tag, content: bytes.subarray(header, header + length), bytes: bytes.subarray(0, header + length) };
}
