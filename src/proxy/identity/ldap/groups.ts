import type { LdapConnection } from './connection.ts';
import { canonicalName, isBelow, ownValue, parseDistinguishedName } from './distinguished-name.ts';
import { type DirectoryEntry, nameOf } from './entry.ts';
import { LdapSetupError } from './errors.ts';
import type { LdapGroupOptions } from './options.ts';
import { fillFilter, placeholdersOf } from './template.ts';

const DEFAULT_FILTER = '(member={dn})';
const MAXIMUM_DEPTH = 10;
const MAXIMUM_GROUPS = 1000;
/** How many groups are asked about in one search. */
const GROUPS_PER_SEARCH = 50;

/** Attributes of the user's entry that are needed to know the groups. */
export function groupAttributes(options: LdapGroupOptions | undefined): string[] {
  return options?.attribute === undefined ? [] : [options.attribute];
}

/** Groups that the user's entry names: those below the base, by the value in their distinguished names. */
export function listedGroups(options: LdapGroupOptions, attribute: string, entry: DirectoryEntry): string[] {
  const base = parseDistinguishedName(options.base) ?? [];
  const names = new Set<string>();
  for (const dn of entry.texts(attribute)) {
    const parsed = parseDistinguishedName(dn);
    if (!parsed || !isBelow(parsed, base)) continue;
    const name = options.name === 'dn' ? dn : ownValue(parsed, options.name);
    if (name !== undefined) names.add(name);
  }
  return [...names].sort();
}

/**
 * Groups that name the user, and with `nested` the groups that name those, level by level. A group is asked about
 * once, so groups that contain each other come to an end.
 * @throws {LdapSetupError} for more groups than anybody is in
 */
export async function searchedGroups(
  options: LdapGroupOptions,
  user: { readonly dn: string; readonly name: string },
  connection: LdapConnection,
  signal: AbortSignal,
): Promise<string[]> {
  const template = options.filter ?? DEFAULT_FILTER;
  const names = new Set<string>();
  const seen = new Set<string>();
  let members: readonly string[] = [user.dn];
  for (let depth = 0; members.length > 0 && depth <= (options.nested ? MAXIMUM_DEPTH : 0); depth++) {
    const found: string[] = [];
    for (const filter of filtersFor(template, members, user.name)) {
      const attributes = options.name === 'dn' ? ['1.1'] : [options.name];
      const entries = await connection.search(
        { base: options.base, scope: 'sub', filter, attributes },
        signal,
      );
      for (const entry of entries) {
        const key = canonicalKey(entry.dn);
        if (seen.has(key)) continue;
        seen.add(key);
        found.push(entry.dn);
        const name = nameOf(entry, options.name);
        if (name !== undefined) names.add(name);
      }
      if (seen.size > MAXIMUM_GROUPS)
        throw new LdapSetupError(`${user.dn} is in over ${MAXIMUM_GROUPS} groups`);
    }
    members = found;
  }
  return [...names].sort();
}

function filtersFor(template: string, members: readonly string[], name: string): string[] {
  if (!placeholdersOf(template).includes('dn')) return [fillFilter(template, { name })];
  const filters: string[] = [];
  for (let start = 0; start < members.length; start += GROUPS_PER_SEARCH) {
    const parts = members
      .slice(start, start + GROUPS_PER_SEARCH)
      .map((dn) => fillFilter(template, { dn, name }));
    filters.push(parts.length === 1 ? parts.join('') : `(|${parts.join('')})`);
  }
  return filters;
}

function canonicalKey(dn: string): string {
  const parsed = parseDistinguishedName(dn);
  return parsed ? canonicalName(parsed) : dn;
}
