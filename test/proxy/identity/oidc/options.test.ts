import { describe, expect, it } from 'vitest';
import type { FileReference } from '../../../../src/core/index.ts';
import { factsOf } from '../../../../src/proxy/identity/oidc/facts.ts';
import { createOidcVerifier, oidcVerifierOptions } from '../../../../src/proxy/identity/oidc/index.ts';
import type { StateStore } from '../../../../src/state/index.ts';
import { createLogger } from '../../../../src/telemetry/index.ts';

const GOOD = {
  name: 'staff',
  type: 'oidc',
  issuer: 'https://login.example.com/realms/acme',
  clientId: 'proxy',
};

describe('options of oidc', () => {
  it.each([
    'https://login.example.com',
    'https://login.example.com:8443/a/b',
    'http://127.0.0.1:8080',
    'http://localhost',
    'http://[::1]:1',
  ])('take the issuer %s', (issuer) => {
    expect(oidcVerifierOptions.safeParse({ ...GOOD, issuer }).success).toBe(true);
  });

  it.each([
    { issuer: 'http://login.example.com' },
    { issuer: 'http://10.0.0.1' },
    { issuer: 'https://login.example.com/?a=b' },
    { issuer: 'https://user:secret@login.example.com' },
    { issuer: 'login.example.com' },
    { scopes: ['profile'] },
    { scopes: ['openid', 'a b'] },
    { tokenLifetime: '10m' },
    { tokenLifetime: '2000d' },
    { allowedGroups: [] },
    { clientSecret: 'a', clientSecretFile: 'b' },
    { clientId: '' },
  ])('do not take %j', (wrong) => {
    expect(oidcVerifierOptions.safeParse({ ...GOOD, ...wrong }).success).toBe(false);
  });

  it.each([
    ['clientSecretFile', ' \n', 'is empty'],
    ['certificateAuthorityFile', 'no certificate', '/a-file holds no PEM certificate'],
  ] as const)('name an unusable %s at once', (key, contents, message) => {
    const options = oidcVerifierOptions.parse({ ...GOOD, [key]: 'a-file' });
    (options[key] as FileReference).resolve('/a-file', Buffer.from(contents));
    const dependencies = {
      state: {} as StateStore,
      secretKeys: () => [Buffer.alloc(32)],
      clock: { now: () => 0, sleep: async () => undefined },
      log: createLogger('silent'),
    };
    expect(() => createOidcVerifier(options, dependencies)).toThrow(message);
  });
});

describe('claims', () => {
  const claims = { nameClaim: 'preferred_username', groupsClaim: 'groups' };
  const read = (more: Record<string, unknown>) =>
    factsOf({ preferred_username: 'anna', ...more }, 'sub', claims);

  it('are read: groups as a list, as one text, or missing', () => {
    expect(read({ groups: ['a', 'b', 'a'] })).toEqual({ subject: 'sub', name: 'anna', groups: ['a', 'b'] });
    expect(read({ groups: 'a' }).groups).toEqual(['a']);
    expect(read({}).groups).toEqual([]);
  });

  it.each([
    { groups: [1] },
    { groups: { a: 1 } },
    { groups: null },
    { groups: [['a']] },
    { groups: Array(1001).fill('a') },
  ])('are refused as groups: %j', (more) => {
    expect(() => read(more)).toThrow('the claim groups is no list of group names');
  });

  it.each([undefined, '', 7, 'a:b', 'a\nb', 'x'.repeat(257), ['anna']])(
    'are refused as a name: %j',
    (name) => {
      expect(() => read({ preferred_username: name })).toThrow('can not be a user name');
    },
  );

  it('are refused as a name where it is an address that the provider has not verified', () => {
    const email = { nameClaim: 'email', groupsClaim: 'groups' };
    expect(() => factsOf({ email: 'a@b.c', email_verified: false }, 'sub', email)).toThrow(/verified/);
    expect(factsOf({ email: 'a@b.c', email_verified: true }, 'sub', email).name).toBe('a@b.c');
  });

  it('are never those that every object has', () => {
    expect(() => factsOf({}, 'sub', { nameClaim: 'constructor', groupsClaim: 'toString' })).toThrow(
      'the claim constructor',
    );
  });
});
