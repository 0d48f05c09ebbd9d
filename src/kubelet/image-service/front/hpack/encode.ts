import type { HeaderField } from './header-field.ts';

const WITHOUT_INDEXING = 0x00;
const NEVER_INDEXED = 0x10;

/**
 * Writes headers as literals that enter no table, so that whoever decodes them needs no memory of what came before.
 * @see RFC 7541, sections 6.2.2 and 6.2.3
 */
export function encodeLiterals(fields: readonly HeaderField[]): Buffer {
  return Buffer.concat(
    fields.flatMap(({ name, value, neverIndexed }) => [
      Buffer.of(neverIndexed ? NEVER_INDEXED : WITHOUT_INDEXING),
      stringLength(name.length),
      name,
      stringLength(value.length),
      value,
    ]),
  );
}

/** @see RFC 7541, section 5.1, with the seven bits that a string's length has */
function stringLength(length: number): Buffer {
  if (length < 0x7f) return Buffer.of(length);
  const bytes = [0x7f];
  let rest = length - 0x7f;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Buffer.from([...bytes, rest]);
}
