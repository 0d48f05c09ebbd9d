import { describe, expect, it } from 'vitest';
import { LdapSetupError, ldapVerifierOptions } from '../../../../src/proxy/identity/ldap/index.ts';
import { fillBindName } from '../../../../src/proxy/identity/ldap/template.ts';
import { createVerifier, PEOPLE } from './directory.ts';

const GOOD = {
  type: 'ldap',
  name: 'staff',
  url: 'ldaps://ldap.example.com',
  bindDn: 'cn=proxy,dc=example',
  bindPassword: 'secret',
  search: { base: PEOPLE },
};
const DIRECT = { ...GOOD, bindDn: undefined, bindPassword: undefined, search: undefined };
const groups = (more: object) => ({ ...GOOD, groups: { base: 'ou=groups', ...more } });

function problem(input: object): string {
  const { error } = ldapVerifierOptions.safeParse(input);
  return error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n') ?? '';
}

describe('ldap options', () => {
  it('have defaults', () => {
    expect(ldapVerifierOptions.parse(GOOD)).toMatchObject({
      search: { filter: '(uid={username})', scope: 'sub' },
      attributes: { name: 'uid', claims: {} },
      startTls: false,
      timeout: 3000,
      connections: 10,
    });
  });

  it.each<[string, object]>([
    ['several servers', { ...GOOD, url: undefined, urls: ['ldaps://a', 'ldaps://[::1]:6360/'] }],
    ['StartTLS', { ...GOOD, url: 'ldap://a', startTls: true }],
    ['plaintext, when said', { ...GOOD, url: 'ldap://a', allowPlaintext: true }],
    ['a DN to bind with', { ...DIRECT, userDn: 'uid={username},ou=people' }],
    [
      'a principal name to bind with',
      { ...GOOD, bindDn: undefined, bindPassword: undefined, userDn: '{username}@a.org' },
    ],
    ['chains of Active Directory', groups({ filter: '(member:1.2.840.113556.1.4.1941:={dn})' })],
    [
      'a longer filter',
      { ...GOOD, search: { base: PEOPLE, filter: '(&(a=b)(|(uid={username})(mail={username}@x))(!(c=*)))' } },
    ],
  ])('take %s', (_, input) => expect(problem(input)).toBe(''));

  it.each<[RegExp, object]>([
    [/^url: needs exactly one/, { ...GOOD, url: undefined }],
    [/^url: needs exactly one/, { ...GOOD, urls: ['ldaps://a'] }],
    [/^url: expected ldaps/, { ...GOOD, url: 'https://a' }],
    [/^url: expected ldaps/, { ...GOOD, url: 'ldaps://a/dc=example' }],
    [/^url: expected ldaps/, { ...GOOD, url: 'ldaps://user@a' }],
    [/^url: passwords could be read/, { ...GOOD, url: 'ldap://127.0.0.1' }],
    [/^urls: passwords could be read/, { ...GOOD, url: undefined, urls: ['ldaps://a', 'ldap://b'] }],
    [/^startTls: ldaps:\/\/ is encrypted/, { ...GOOD, startTls: true }],
    [/^bindDn: needs exactly one/, { ...GOOD, bindDn: undefined, bindPassword: undefined }],
    [/^bindDn: needs exactly one/, { ...GOOD, userDn: 'uid={username}' }],
    [/^bindPasswordFile: needs exactly one/, { ...GOOD, bindPassword: undefined }],
    [/^bindPasswordFile: is for bindDn/, { ...DIRECT, userDn: 'uid={username}', bindPassword: 'x' }],
    [/^search: needs to say/, { ...GOOD, search: undefined }],
    [/^search: needs to say/, { ...DIRECT, userDn: '{username}@example.com' }],
    [/^userDn: needs {username}, once/, { ...DIRECT, userDn: 'uid=a,ou=people' }],
    [/^userDn: needs {username}, once/, { ...DIRECT, userDn: '{username},ou={username}=' }],
    [/^userDn: is no distinguished name/, { ...DIRECT, userDn: 'uid=a,{username}=b' }],
    [/^userDn: expected/, { ...DIRECT, userDn: '{username}' }],
    [/^search.base: expected a dist/, { ...GOOD, search: { base: 'people' } }],
    [/^search.filter: needs {username}/, { ...GOOD, search: { base: PEOPLE, filter: '(uid=x)' } }],
    [/^search.filter: {dn} is not known/, { ...GOOD, search: { base: PEOPLE, filter: '(uid={dn})' } }],
    [/^search.filter: has a { or }/, { ...GOOD, search: { base: PEOPLE, filter: '(uid={username}})' } }],
    [/^search.filter: expected a search/, { ...GOOD, search: { base: PEOPLE, filter: 'uid={username}' } }],
    [
      /^search.filter: expected a search/,
      { ...GOOD, search: { base: PEOPLE, filter: '(uid={username})(a=b)' } },
    ],
    [
      /^search.filter: expected a search/,
      { ...GOOD, search: { base: PEOPLE, filter: '(&(uid={username})' } },
    ],
    [
      /^search.filter: a placeholder may only/,
      { ...GOOD, search: { base: PEOPLE, filter: '({username}=a)' } },
    ],
    [
      /^search.filter: is no search filter/,
      { ...GOOD, search: { base: PEOPLE, filter: '(&(uid={username})x)' } },
    ],
    [/^groups.filter: a placeholder may not be part/, groups({ filter: '(member=uid={name},ou=people)' })],
    [/^groups.filter: needs {dn} or {name}/, groups({ filter: '(cn=a)' })],
    [/^groups.nested: needs {dn}/, groups({ filter: '(memberUid={name})', nested: true })],
    [/^groups.nested: nested is for a search/, groups({ attribute: 'memberOf', nested: true })],
    [/^attributes.name: expected the name/, { ...GOOD, attributes: { name: 'a b' } }],
    [/^attributes.claims.a b: /, { ...GOOD, attributes: { claims: { 'a b': 'a' } } }],
    [/^timeout: /, { ...GOOD, timeout: '0s' }],
  ])('say %s', (message, input) => expect(problem(input)).toMatch(message));

  it('need files that hold what they should', () => {
    const file = { ...GOOD, bindPassword: undefined, bindPasswordFile: 'password' };
    expect(() => createVerifier(file, { password: '\n' })).toThrow(LdapSetupError);
    expect(() => createVerifier(file, { password: 'x\n' })).not.toThrow();
    const authority = { ...GOOD, certificateAuthorityFile: 'ca.pem' };
    expect(() => createVerifier(authority, { 'ca.pem': 'nothing' })).toThrow(LdapSetupError);
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    expect(() => createVerifier(authority, { 'ca.pem': broken })).toThrow(LdapSetupError);
  });
});

describe('the name that users bind with', () => {
  it.each([
    ['uid={username},ou=people', 'a,ou=b', 'uid=a\\2cou\\3db,ou=people'],
    ['{username}@example.com', 'anna', 'anna@example.com'],
    ['EXAMPLE\\{username}', 'anna', 'EXAMPLE\\anna'],
    ['{username}@example.com', 'a@b', undefined],
    ['{username}@example.com', 'cn=a', undefined],
    ['EXAMPLE\\{username}', 'OTHER\\a', undefined],
    ['uid={username},ou=people', '{username}$&', 'uid={username}$&,ou=people'],
  ])('made of %s and %j is %j', (template, username, name) =>
    expect(fillBindName(template, username)).toBe(name),
  );
});
