import type { Entry } from 'ldapts';
import { ownValue, parseDistinguishedName } from './distinguished-name.ts';

/** What a directory knows under one name. Attributes are found in any letter case. */
export interface DirectoryEntry {
  readonly dn: string;
  /** Values that are text; none where the attribute is missing. `dn` is the entry's name. */
  texts(attribute: string): readonly string[];
  /** Values as bytes. */
  bytes(attribute: string): readonly Buffer[];
}

export function entryOf(raw: Entry): DirectoryEntry {
  const attributes = new Map<string, readonly (string | Buffer)[]>();
  for (const [name, value] of Object.entries(raw)) {
    attributes.set(name.toLowerCase(), Array.isArray(value) ? value : [value]);
  }
  const valuesOf = (attribute: string) => attributes.get(attribute.toLowerCase()) ?? [];
  return {
    dn: raw.dn,
    texts: (attribute) => valuesOf(attribute).filter((value) => typeof value === 'string'),
    bytes: (attribute) => valuesOf(attribute).map((value) => Buffer.from(value)),
  };
}

/**
 * The one name that an attribute gives an entry. Of several values it is the one in the entry's distinguished name,
 * because the others are often for the user to change.
 */
export function nameOf(entry: DirectoryEntry, attribute: string): string | undefined {
  const values = entry.texts(attribute);
  if (values.length <= 1) return values[0];
  const name = parseDistinguishedName(entry.dn);
  const own = name && ownValue(name, attribute);
  return own !== undefined && values.includes(own) ? own : undefined;
}
