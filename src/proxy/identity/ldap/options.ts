import { z } from 'zod';
import { optionTypes, parseUrl } from '../../../core/index.ts';
import { commonVerifierOptions } from '../common-options.ts';
import { parseDistinguishedName } from './distinguished-name.ts';
import { bindNameProblem, filterProblem, isNameTemplate, placeholdersOf } from './template.ts';

const MAXIMUM_SERVERS = 8;

const serverUrl = z.string().refine(isServerUrl, 'expected ldaps://HOST[:PORT] or ldap://HOST[:PORT]');
const attribute = z
  .string()
  .regex(/^([A-Za-z][A-Za-z0-9-]*|\d+(\.\d+)+)$/, 'expected the name of an attribute');
const baseName = z
  .string()
  .refine(
    (text) => parseDistinguishedName(text) !== undefined,
    'expected a distinguished name, such as ou=people,dc=example,dc=com',
  );

const search = z
  .strictObject({
    base: baseName.describe('Where users are.'),
    filter: z.string().default('(uid={username})').describe('Has to find exactly one entry.'),
    scope: z.enum(['base', 'one', 'sub']).default('sub').describe('How deep below the base.'),
  })
  .superRefine(({ filter }, context) => {
    const missing = placeholdersOf(filter).includes('username') ? undefined : 'needs {username}';
    const message = filterProblem(filter, ['username']) ?? missing;
    if (message !== undefined) context.addIssue({ code: 'custom', path: ['filter'], message });
  });

const groups = z
  .strictObject({
    base: baseName.describe('Only groups below it count.'),
    name: attribute
      .default('cn')
      .describe(
        "What a group is called in rules: this attribute of its entry; `dn` is the entry's whole name.",
      ),
    attribute: attribute
      .optional()
      .describe(
        "Attribute of the user's entry that lists the groups, such as memberOf. Else they are searched.",
      ),
    filter: z
      .string()
      .optional()
      .describe(
        "Finds the groups of {dn}, the user's entry, or of {name}, the user's name in rules. Default: `(member={dn})`.",
      ),
    nested: z
      .boolean()
      .default(false)
      .describe('Whether the groups that groups are in count too, up to ten levels.'),
  })
  .superRefine(({ attribute, filter, nested }, context) => {
    const message = filter === undefined ? undefined : filterProblem(filter, ['dn', 'name']);
    if (message !== undefined) context.addIssue({ code: 'custom', path: ['filter'], message });
    if (attribute !== undefined && (filter !== undefined || nested)) {
      const other = filter === undefined ? 'nested' : 'filter';
      context.addIssue({
        code: 'custom',
        path: [other],
        message: `${other} is for a search; attribute is set`,
      });
    }
    if (filter === undefined) return;
    const placeholders = placeholdersOf(filter);
    if (placeholders.length === 0) {
      context.addIssue({ code: 'custom', path: ['filter'], message: 'needs {dn} or {name}' });
    } else if (nested && !placeholders.includes('dn')) {
      context.addIssue({ code: 'custom', path: ['nested'], message: 'needs {dn} in the filter' });
    }
  });
export type LdapGroupOptions = z.infer<typeof groups>;

export const ldapVerifierOptions = z
  .strictObject({
    type: z.literal('ldap'),
    ...commonVerifierOptions,
    url: serverUrl.optional().describe('`ldaps://ldap.example.com`.'),
    urls: z
      .array(serverUrl)
      .min(1)
      .max(MAXIMUM_SERVERS)
      .optional()
      .describe('Several servers with the same content. One is asked first until it fails, then the next.'),
    startTls: z.boolean().default(false).describe('Encrypts ldap:// connections before anything is said.'),
    allowPlaintext: z
      .boolean()
      .default(false)
      .describe('Takes ldap:// without startTls: passwords can be read on the way.'),
    certificateAuthorityFile: optionTypes.file
      .optional()
      .describe('PEM certificates to trust instead of the system list.'),
    bindDn: baseName.optional().describe('Account that searches for users.'),
    bindPassword: optionTypes.secret
      .optional()
      .describe('Better: bindPasswordFile, or a variable of the environment.'),
    bindPasswordFile: optionTypes.file
      .optional()
      .describe('File with the password of bindDn; a line break at its end is dropped.'),
    userDn: z
      .string()
      .optional()
      .describe(
        'Instead of bindDn: what users bind with, such as `uid={username},ou=people,dc=example,dc=com`, or `{username}@example.com` with Active Directory.',
      ),
    search: search.optional().describe('How to find the entry of a user.'),
    attributes: z
      .strictObject({
        name: attribute.default('uid').describe('What the user is called in rules.'),
        claims: z
          .record(z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,62}$/, 'expected a short name'), attribute)
          .default({})
          .describe('Claims for rules, and the attribute that each comes from.'),
      })
      .prefault({})
      .describe("Attributes of the user's entry."),
    groups: groups.optional().describe('Where groups come from. Without it, nobody has any.'),
    timeout: optionTypes.duration
      .prefault('3s')
      .describe('How long one server may take for one step of a login, before the next is asked.'),
    connections: z
      .int()
      .min(1)
      .max(100)
      .default(10)
      .describe('At most this many connections for searches, and as many for passwords.'),
  })
  .superRefine((options, context) => {
    for (const [key, message] of problemsOf(options)) {
      context.addIssue({ code: 'custom', path: [key], message });
    }
  })
  .describe('Users and groups in a directory: OpenLDAP, Active Directory, 389, FreeIPA.');
export type LdapVerifierOptions = z.infer<typeof ldapVerifierOptions>;

interface Choices {
  readonly url?: string | undefined;
  readonly urls?: readonly string[] | undefined;
  readonly startTls: boolean;
  readonly allowPlaintext: boolean;
  readonly bindDn?: string | undefined;
  readonly bindPassword?: unknown;
  readonly bindPasswordFile?: unknown;
  readonly userDn?: string | undefined;
  readonly search?: unknown;
  readonly timeout: number;
}

function* problemsOf(options: Choices): Generator<[keyof Choices, string]> {
  const { url, urls, startTls, allowPlaintext, bindDn, bindPassword, bindPasswordFile, userDn } = options;
  if ((url === undefined) === (urls === undefined)) yield ['url', 'needs exactly one of url and urls'];
  const key = url === undefined ? 'urls' : 'url';
  const all = urls ?? (url === undefined ? [] : [url]);
  const plain = all.filter((each) => each.startsWith('ldap:'));
  if (startTls && plain.length < all.length) yield ['startTls', 'ldaps:// is encrypted already'];
  if (!startTls && !allowPlaintext && plain.length > 0) {
    yield [key, 'passwords could be read on the way: use ldaps://, startTls, or say allowPlaintext: true'];
  }
  if ((bindDn === undefined) === (userDn === undefined)) {
    yield ['bindDn', 'needs exactly one of bindDn and userDn'];
  }
  const passwords = [bindPassword, bindPasswordFile].filter((each) => each !== undefined).length;
  if (bindDn !== undefined && passwords !== 1) {
    yield ['bindPasswordFile', 'needs exactly one of bindPassword and bindPasswordFile'];
  }
  if (bindDn === undefined && passwords > 0) yield ['bindPasswordFile', 'is for bindDn, which is missing'];
  const userDnProblem = userDn === undefined ? undefined : bindNameProblem(userDn);
  if (userDnProblem !== undefined) yield ['userDn', userDnProblem];
  const needsSearch = bindDn !== undefined || (userDn !== undefined && !isNameTemplate(userDn));
  if (needsSearch && options.search === undefined) yield ['search', 'needs to say where users are'];
  if (options.timeout < 1) yield ['timeout', 'expected more than nothing'];
}

function isServerUrl(text: string): boolean {
  const url = parseUrl(text);
  if (!url || !/^ldaps?:\/\/[^/?#@]+\/?$/.test(text)) return false;
  return (url.protocol === 'ldap:' || url.protocol === 'ldaps:') && url.hostname !== '' && url.port !== '0';
}
