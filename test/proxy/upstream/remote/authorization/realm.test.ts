import { describe, expect, it } from 'vitest';
import { allowedRealm } from '../../../../../src/proxy/upstream/remote/authorization/index.ts';

const check = (registry: string, realm: string, listed: string[] = []) =>
  allowedRealm(realm, new URL(registry), listed).trust;

describe('a realm that may see the credential', () => {
  it.each([
    ['https://registry.example.com', 'https://registry.example.com/token', 'own'],
    ['http://127.0.0.1:5000', 'http://127.0.0.1:5000/token?x=1', 'own'],
    ['https://registry.example.com', 'https://auth.example.com/token', 'public'],
    ['https://registry.example.com:5000', 'https://auth.example.com/token', 'public'],
    ['https://registry.example.co.uk', 'https://auth.example.co.uk/token', 'public'],
    ['https://registry-1.docker.io', 'https://auth.docker.io/token', 'public'],
    ['https://registry.gitlab.com', 'https://gitlab.com/jwt/auth', 'public'],
    ['https://nvcr.io', 'https://authn.nvidia.com/token', 'public'],
    ['https://nvcr.io', 'https://nvcr.io/proxy_auth?scope=x', 'own'],
    ['https://ghcr.io', 'https://ghcr.io/token', 'own'],
    ['https://eu.gcr.io', 'https://eu.gcr.io/v2/token', 'own'],
  ])('%s names %s', (registry, realm, trust) => {
    expect(check(registry, realm)).toBe(trust);
  });

  it.each([
    'http://10.0.0.1:8080/token',
    'http://auth.internal/token',
    'https://other.example.net:8443/token',
  ])('%s, when it is listed', (realm) => {
    expect(() => check('https://registry.example.com', realm)).toThrow();
    expect(check('https://registry.example.com', realm, [new URL(realm).origin])).toBe('listed');
  });
});

describe('a realm that sees nothing', () => {
  it.each([
    ['https://registry.example.com', 'https://registry.example.com:8443/token', 'another port'],
    ['https://registry.example.com', 'https://auth.example.com:8443/token', 'another port'],
    ['https://registry.example.com', 'https://attacker.net/token', 'another domain'],
    ['https://registry.example.com', 'https://example.com.attacker.net/token', 'look-alike'],
    ['https://registry.example.com', 'https://xexample.com/token', 'look-alike'],
    ['https://registry.example.com', 'https://registry.example.com.evil.com/token', 'look-alike'],
    ['https://registry.example.com', 'http://registry.example.com/token', 'http'],
    ['https://registry.example.com', 'http://auth.example.com/token', 'http'],
    ['http://registry.example.com', 'http://auth.example.com/token', 'http'],
    ['https://registry.example.com', 'https://user:pw@registry.example.com/token', 'user name'],
    ['https://registry.example.com', 'https://registry.example.com@attacker.net/token', 'user name'],
    ['https://registry.example.com', 'https://registry.example.com/token#x', 'fragment'],
    ['https://registry.example.com', 'https://registry.example.com\\@attacker.net/', 'backslash'],
    ['https://registry.example.com', 'https://attacker.net\t/token', 'white space'],
    ['https://registry.example.com', 'https://169.254.169.254/token', 'address'],
    ['https://10.0.0.1', 'https://10.0.0.2/token', 'address'],
    ['https://127.0.0.1:5000', 'https://127.0.0.1/token', 'address'],
    ['https://registry.example.com', '/token', 'relative'],
    ['https://registry.example.com', '//attacker.net/token', 'relative'],
    ['https://registry.example.com', '', 'nothing'],
    ['https://registry.example.com', 'file:///etc/passwd', 'scheme'],
    ['https://registry.example.com', 'javascript:x', 'scheme'],
    ['https://registry.example.com', `https://auth.example.com/${'x'.repeat(3000)}`, 'length'],
    ['https://a.github.io', 'https://b.github.io/token', 'shared domain'],
    ['https://registry.co.uk', 'https://other.co.uk/token', 'public suffix'],
    ['https://registry', 'https://auth/token', 'no domain'],
    ['https://mine.azurecr.io', 'https://yours.azurecr.io/token', 'known registry'],
    ['https://registry-1.docker.io', 'https://other.docker.io/token', 'known registry'],
    ['https://ghcr.io', 'https://x.ghcr.io/token', 'known registry'],
  ])('%s names %s (%s)', (registry, realm) => {
    expect(() => check(registry, realm)).toThrow(expect.objectContaining({ kind: 'unsafe' }));
  });
});
