import { randomBytes } from 'node:crypto';
import { FileReference, Secret, systemClock } from '../../../../src/core/index.ts';
import {
  createLdapVerifier,
  type LdapVerifierOptions,
  type Outcome,
  type Verifier,
} from '../../../../src/proxy/identity/index.ts';
import { ldapVerifierOptions } from '../../../../src/proxy/identity/ldap/index.ts';
import { createLogger } from '../../../../src/telemetry/index.ts';
import { type LdapEntry, SUFFIX } from '../../../servers/index.ts';

export const PEOPLE = `ou=people,${SUFFIX}`;
export const GROUPS = `ou=groups,${SUFFIX}`;
export const SERVICE_DN = `cn=proxy,${SUFFIX}`;
export const SERVICE_PASSWORD = 'canary-of-the-service-account';
export const PASSWORD = 'canary-password-of-anna';

const person = (uid: string, more: Record<string, string | string[]> = {}): LdapEntry => [
  `uid=${escapeForTest(uid)},${PEOPLE}`,
  { objectClass: 'inetOrgPerson', uid, cn: uid, sn: uid, userPassword: PASSWORD, ...more },
];
const group = (cn: string, member: string[], base = GROUPS): LdapEntry => [
  `cn=${cn},${base}`,
  { objectClass: 'groupOfNames', cn, member },
];
const unit = (name: string, parent = SUFFIX): LdapEntry => [
  `ou=${name},${parent}`,
  { objectClass: 'organizationalUnit', ou: name },
];

/** User names that mean something in a filter or in a distinguished name. */
export const ODD_NAMES = [
  'a,b=c',
  '*)(uid=*',
  'back\\slash',
  '#sharp',
  'a@b@c',
  'semi;colon+plus',
  'Zoë <z>',
  '\\00',
];

/** Who is in the directory, and in which groups. `team-a` and `team-b` are members of each other. */
export const ENTRIES: readonly LdapEntry[] = [
  [SUFFIX, { objectClass: ['dcObject', 'organization'], dc: 'example', o: 'Example' }],
  unit('people'),
  unit('groups'),
  unit('elsewhere'),
  unit('contractors', PEOPLE),
  [
    SERVICE_DN,
    {
      objectClass: ['organizationalRole', 'simpleSecurityObject'],
      cn: 'proxy',
      userPassword: SERVICE_PASSWORD,
    },
  ],
  person('anna', { mail: 'anna@example.com', telephoneNumber: ['1', '2'] }),
  person('ben', { mail: ['ben@example.com', 'b@example.com'] }),
  person('nickname', { uid: ['nickname', 'nick', 'anna2'] }),
  ...ODD_NAMES.map((name) => person(name)),
  person('twin'),
  [
    `cn=other,ou=contractors,${PEOPLE}`,
    { objectClass: 'inetOrgPerson', uid: 'twin', cn: 'other', sn: 'other', userPassword: PASSWORD },
  ],
  [
    `uid=pointer,${PEOPLE}`,
    { objectClass: ['alias', 'extensibleObject'], uid: 'pointer', aliasedObjectName: `uid=anna,${PEOPLE}` },
  ],
  [
    `ou=branch,${PEOPLE}`,
    { objectClass: ['referral', 'extensibleObject'], ou: 'branch', ref: `ldap://127.0.0.1:9/ou=b,${SUFFIX}` },
  ],
  group('platform', [`uid=anna,${PEOPLE}`]),
  group('team-a', [`uid=anna,${PEOPLE}`, `cn=team-b,${GROUPS}`]),
  group('team-b', [`cn=team-a,${GROUPS}`]),
  group('everybody', [`cn=team-b,${GROUPS}`]),
  group('odd', [`uid=${escapeForTest('*)(uid=*')},${PEOPLE}`, `uid=${escapeForTest('a,b=c')},${PEOPLE}`]),
  group('platform', [`uid=ben,${PEOPLE}`], `ou=elsewhere,${SUFFIX}`),
];

function escapeForTest(value: string): string {
  return [...Buffer.from(value)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
}

export type LdapInput = Record<string, unknown>;

/** Options as a configuration file gives them, with files that are loaded from `files`. */
export function parseOptions(
  input: LdapInput,
  files: Readonly<Record<string, string>> = {},
): LdapVerifierOptions {
  const options = ldapVerifierOptions.parse({ type: 'ldap', name: 'staff', ...input });
  for (const reference of [options.certificateAuthorityFile, options.bindPasswordFile]) {
    if (!(reference instanceof FileReference)) continue;
    reference.resolve(`/etc/${reference.path}`, Buffer.from(files[reference.path] ?? ''));
  }
  return options;
}

/** Search, then bind, on servers in the clear. */
export function searching(ports: readonly number[], more: LdapInput = {}): LdapInput {
  return {
    urls: ports.map((port) => `ldap://127.0.0.1:${port}`),
    allowPlaintext: true,
    bindDn: SERVICE_DN,
    bindPassword: SERVICE_PASSWORD,
    search: { base: PEOPLE },
    ...more,
  };
}

/** Users bind by themselves. */
export function direct(port: number, more: LdapInput = {}): LdapInput {
  return {
    url: `ldap://127.0.0.1:${port}`,
    allowPlaintext: true,
    userDn: `uid={username},${PEOPLE}`,
    ...more,
  };
}

export function createVerifier(input: LdapInput, files: Readonly<Record<string, string>> = {}): Verifier {
  return createLdapVerifier(parseOptions(input, files), { clock: systemClock, log: createLogger('silent') });
}

export function verify(verifier: Verifier, username: string, password = PASSWORD): Promise<Outcome> {
  return verifier.verify({ username, password: new Secret(password) }, new AbortController().signal);
}

/** A name that stands in no earlier line of a log. */
export function freshName(): string {
  return `u${randomBytes(8).toString('hex')}`;
}
