import { createHash } from 'node:crypto';
import { canonicalName, parseDistinguishedName } from './distinguished-name.ts';
import type { DirectoryEntry } from './entry.ts';

/** What servers number entries with: it stays when an entry moves, and is new for a new user of an old name. */
const ENTRY_IDS = ['entryUUID', 'objectGUID', 'nsUniqueId'];
/** When the password was changed, where servers say so. */
const PASSWORD_TIMES = ['pwdChangedTime', 'pwdLastSet'];
const DIGEST_CHARACTERS = 22;

/** Attributes that {@link anchorOf} looks at. Servers leave out those they don't know. */
export const ANCHOR_ATTRIBUTES: readonly string[] = [...ENTRY_IDS, ...PASSWORD_TIMES];

/**
 * The mark of a login: the user name as it was typed, to search by again, and a digest of the entry that was found and
 * of its last change of password.
 */
export function anchorOf(username: string, entry: DirectoryEntry): string {
  const facts = ANCHOR_ATTRIBUTES.map((attribute) =>
    entry.bytes(attribute).map((value) => value.toString('hex')),
  );
  const hasId = ENTRY_IDS.some((attribute) => entry.bytes(attribute).length > 0);
  const name = parseDistinguishedName(entry.dn);
  const identity = hasId ? '' : name ? canonicalName(name) : entry.dn;
  const digest = createHash('sha256').update(JSON.stringify(['ldap', username, identity, facts]));
  return `${Buffer.from(username).toString('base64url')}.${digest.digest('base64url').slice(0, DIGEST_CHARACTERS)}`;
}

/** The user name in an anchor; any text comes to something, so compare the whole anchor afterwards. */
export function usernameOf(anchor: string): string {
  return Buffer.from(anchor.split('.')[0] ?? '', 'base64url').toString('utf8');
}
