/** One type and value of a relative distinguished name, unescaped. */
export interface NamePart {
  /** In lower case. */
  readonly type: string;
  readonly value: string;
}

/** A distinguished name, the entry's own part first. A part holds several pairs where they are joined by `+`. */
export type DistinguishedName = readonly (readonly NamePart[])[];

const TYPE = /^ *([A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*) *= */;
/** Pairs of hexadecimal digits in a row are the bytes of UTF-8 text. */
const ESCAPED_BYTES = /^(?:\\[0-9A-Fa-f]{2})+/;
const ESCAPED_CHARACTER = /^\\([ "#+,;<=>\\])/;
const PLAIN = /^[^\\"+,;<>\0]/u;

/** Reads a distinguished name (RFC 4514, section 3). @returns undefined for what is none; the empty name is none here */
export function parseDistinguishedName(text: string): DistinguishedName | undefined {
  const name: NamePart[][] = [[]];
  let rest = text;
  for (;;) {
    const read = readPart(rest);
    if (!read) return undefined;
    name.at(-1)?.push(read.part);
    rest = read.rest;
    if (rest === '') return name;
    if (rest.startsWith(',')) name.push([]);
    rest = rest.slice(1);
  }
}

function readPart(text: string): { part: NamePart; rest: string } | undefined {
  const [prefix, type] = TYPE.exec(text) ?? [];
  if (prefix === undefined || type === undefined) return undefined;
  let rest = text.slice(prefix.length);
  let value = '';
  // Where the last character that is not a plain space ends: spaces behind it are not part of the value.
  let end = 0;
  while (rest !== '' && !/^[,+]/.test(rest)) {
    const read = readCharacters(rest);
    if (!read) return undefined;
    value += read.characters;
    if (read.characters !== ' ' || read.length > 1) end = value.length;
    rest = rest.slice(read.length);
  }
  return { part: { type: type.toLowerCase(), value: value.slice(0, end) }, rest };
}

function readCharacters(text: string): { characters: string; length: number } | undefined {
  const [bytes] = ESCAPED_BYTES.exec(text) ?? [];
  if (bytes !== undefined) {
    const characters = Buffer.from(bytes.replaceAll('\\', ''), 'hex').toString('utf8');
    return { characters, length: bytes.length };
  }
  const [escaped, character] = ESCAPED_CHARACTER.exec(text) ?? [];
  if (escaped !== undefined && character !== undefined) return { characters: character, length: 2 };
  const [plain] = PLAIN.exec(text) ?? [];
  return plain === undefined ? undefined : { characters: plain, length: plain.length };
}

/** One text for all spellings of a name: letter case, spaces and the order within a part don't count. */
export function canonicalName(name: DistinguishedName): string {
  return JSON.stringify(name.map(canonicalPart));
}

/** Whether `name` is an entry below `base`, at any depth; `base` itself is not. */
export function isBelow(name: DistinguishedName, base: DistinguishedName): boolean {
  return name.length > base.length && canonicalName(name.slice(-base.length)) === canonicalName(base);
}

/** The value of this attribute in the entry's own part of the name. */
export function ownValue(name: DistinguishedName, attribute: string): string | undefined {
  const type = attribute.toLowerCase();
  return name[0]?.find((part) => part.type === type)?.value;
}

/** Values compare as directories compare names: without regard to case and to repeated spaces. */
export function foldValue(value: string): string {
  return value.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ');
}

function canonicalPart(part: readonly NamePart[]): string[] {
  return part.map(({ type, value }) => JSON.stringify([type, foldValue(value)])).sort();
}
