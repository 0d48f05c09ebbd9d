import { ANCHOR_ATTRIBUTES } from './anchor.ts';
import type { LdapConnection, Query } from './connection.ts';
import { type DirectoryEntry, nameOf } from './entry.ts';
import { groupAttributes } from './groups.ts';
import type { LdapVerifierOptions } from './options.ts';
import { isReferral } from './result-codes.ts';
import { fillFilter } from './template.ts';

/** The one entry of a user, or why there is none. */
export type Found =
  | { readonly type: 'entry'; readonly entry: DirectoryEntry }
  | { readonly type: 'none'; readonly reason: string };

/** What rules see of a user, groups aside. */
export interface Person {
  readonly name: string;
  readonly claims: Readonly<Record<string, string | readonly string[]>>;
}

const MAXIMUM_NAME_LENGTH = 256;
/** Entries that only point somewhere else. */
const POINTERS: readonly string[] = ['alias', 'referral'];

/** Searches the entry of whoever logs in under this name. @throws as {@link LdapConnection.search} does */
export function findByName(
  options: LdapVerifierOptions,
  search: NonNullable<LdapVerifierOptions['search']>,
  username: string,
  connection: LdapConnection,
  signal: AbortSignal,
): Promise<Found> {
  const filter = fillFilter(search.filter, { username });
  return findOne(options, { base: search.base, scope: search.scope, filter }, connection, signal);
}

/** Reads the entry that has this distinguished name. @throws as {@link LdapConnection.search} does */
export function findByDn(
  options: LdapVerifierOptions,
  dn: string,
  connection: LdapConnection,
  signal: AbortSignal,
): Promise<Found> {
  return findOne(options, { base: dn, scope: 'base', filter: '(objectClass=*)' }, connection, signal);
}

/** @returns why the entry can't be used, or who it is */
export function personOf(options: LdapVerifierOptions, entry: DirectoryEntry): Person | string {
  const { name: attribute, claims } = options.attributes;
  const name = nameOf(entry, attribute);
  if (name === undefined) return `${entry.dn} has no ${attribute}, or several, or it can't be read`;
  if (name === '' || name.length > MAXIMUM_NAME_LENGTH || /[\p{Cc}\p{Cs}]/u.test(name)) {
    return `the ${attribute} of ${entry.dn} can't be a name`;
  }
  const values = Object.entries(claims).flatMap(([claim, source]) => {
    const texts = entry.texts(source);
    const [first] = texts;
    return first === undefined ? [] : [[claim, texts.length === 1 ? first : texts] as const];
  });
  return { name, claims: Object.fromEntries(values) };
}

async function findOne(
  options: LdapVerifierOptions,
  query: Pick<Query, 'base' | 'scope' | 'filter'>,
  connection: LdapConnection,
  signal: AbortSignal,
): Promise<Found> {
  const attributes = wantedAttributes(options);
  try {
    const [entry, another] = await connection.search({ ...query, attributes, limit: 2 }, signal);
    if (!entry) return { type: 'none', reason: 'no such user' };
    if (another) return { type: 'none', reason: 'the search found more than one entry' };
    const pointer = entry.texts('objectClass').find((value) => POINTERS.includes(value.toLowerCase()));
    if (pointer !== undefined) return { type: 'none', reason: `${entry.dn} is an ${pointer}, not followed` };
    return { type: 'entry', entry };
  } catch (error) {
    if (!isReferral(error)) throw error;
    return { type: 'none', reason: 'the server refers to another one, which is not followed' };
  }
}

function wantedAttributes({ attributes, groups }: LdapVerifierOptions): string[] {
  const wanted = [
    ...['objectClass', attributes.name, ...Object.values(attributes.claims)],
    ...groupAttributes(groups),
    ...ANCHOR_ATTRIBUTES,
  ];
  // An entry's name always comes along; no attribute may stand in for it.
  return [...new Set(wanted)].filter((attribute) => attribute.toLowerCase() !== 'dn');
}
