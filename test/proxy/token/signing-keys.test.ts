import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { calculateJwkThumbprint } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileReference } from '../../../src/core/index.ts';
import {
  loadOrCreateSigningKeys,
  parseSigningKeys,
  SigningKeyError,
} from '../../../src/proxy/token/index.ts';
import { generateSigningKeys, publicKeySet } from '../../../src/proxy/token/signing-keys.ts';

type Jwk = Record<string, unknown>;

const ecKey = (): Jwk =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
const edKey = (): Jwk => generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
const setOf = (...keys: unknown[]): string => JSON.stringify({ keys });

function problem(text: string): Error {
  try {
    parseSigningKeys(text);
  } catch (error) {
    if (error instanceof SigningKeyError) return error;
    throw error;
  }
  throw new Error('the keys were accepted');
}

describe('parseSigningKeys', () => {
  it('signs with the first key and accepts all, each for its own algorithm', () => {
    const keys = parseSigningKeys(setOf({ ...ecKey(), kid: 'a' }, { ...edKey(), kid: 'b', alg: 'Ed25519' }));
    expect(keys.current.kid).toBe('a');
    expect([...keys.byId.values()].map(({ kid, algorithm }) => [kid, algorithm])).toEqual([
      ['a', 'ES256'],
      ['b', 'EdDSA'],
    ]);
  });

  it.each([
    ['EC', ecKey],
    ['OKP', edKey],
  ])('names a key by its thumbprint where it has no name: %s', async (_, make) => {
    const jwk = make();
    expect(parseSigningKeys(setOf(jwk)).current.kid).toBe(await calculateJwkThumbprint(jwk as never));
  });

  it('publishes nothing private', () => {
    const [ec, ed] = [ecKey(), edKey()];
    const text = JSON.stringify(publicKeySet(parseSigningKeys(setOf(ec, ed))));
    for (const { d } of [ec, ed]) expect(text).not.toContain(d);
    for (const key of publicKeySet(parseSigningKeys(setOf(ec, ed))).keys) {
      expect(Object.keys(key).sort()).toEqual(
        ['alg', 'crv', 'kid', 'kty', 'use', 'x', ...(key.kty === 'EC' ? ['y'] : [])].sort(),
      );
    }
  });

  it('reads what it generates', () => {
    expect(parseSigningKeys(generateSigningKeys()).current.algorithm).toBe('ES256');
    expect(generateSigningKeys()).not.toBe(generateSigningKeys());
  });

  const good = ecKey();
  const { d: _, ...publicOnly } = good;
  it.each([
    ['no JSON', `canary ${JSON.stringify(good)}`],
    ['an empty file', ''],
    ['a single key', JSON.stringify(good)],
    ['no keys', setOf()],
    ['too many keys', setOf(...Array.from({ length: 17 }, edKey))],
    ['a public key', setOf(publicOnly)],
    [
      'a key of another curve',
      setOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ format: 'jwk' })),
    ],
    [
      'an RSA key',
      setOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })),
    ],
    ['a shared secret', setOf({ kty: 'oct', k: 'canary' })],
    ['another algorithm than the key has', setOf({ ...good, alg: 'HS256' })],
    ['another use', setOf({ ...good, use: 'enc' })],
    ['halves that are no pair', setOf({ ...good, d: ecKey().d })],
    ['halves that are no pair (Ed25519)', setOf({ ...edKey(), d: edKey().d })],
    ['a point that is not on the curve', setOf({ ...good, x: randomBytes(32).toString('base64url') })],
    ['a number for a member', setOf({ ...good, d: 5 })],
    ['two keys with one name', setOf({ ...ecKey(), kid: 'a' }, { ...ecKey(), kid: 'a' })],
    ['one key twice', setOf(good, good)],
    ['an empty name', setOf({ ...good, kid: '' })],
  ])('refuses %s and keeps the key to itself', (_, text) => {
    const error = problem(text);
    expect(error.message).not.toContain(String(good.d));
    expect(error.message).not.toContain('canary');
    expect(error.cause).toBeUndefined();
  });
});

describe('loadOrCreateSigningKeys', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'keys-'));
  });
  afterEach(async () => {
    await chmod(directory, 0o700);
    await rm(directory, { recursive: true });
  });

  function reference(path: string, contents?: string): FileReference {
    const file = new FileReference('signing-key.json', false);
    file.resolve(path, contents === undefined ? undefined : Buffer.from(contents));
    return file;
  }

  it('reads the contents that were loaded', async () => {
    const text = generateSigningKeys();
    const keys = await loadOrCreateSigningKeys(reference('/nowhere/key.json', text));
    expect(keys.current.kid).toBe(parseSigningKeys(text).current.kid);
  });

  it('names the file in its errors', async () => {
    await expect(loadOrCreateSigningKeys(reference('/nowhere/key.json', 'canary'))).rejects.toThrow(
      /^\/nowhere\/key\.json: expected a JWK set in JSON$/,
    );
  });

  it('makes a missing file for its owner only, and its folder', async () => {
    const path = join(directory, 'data', 'key.json');
    const keys = await loadOrCreateSigningKeys(reference(path));
    expect(parseSigningKeys(await readFile(path, 'utf8')).current.kid).toBe(keys.current.kid);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(directory, 'data'))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(directory, 'data'))).toEqual(['key.json']);
  });

  it('uses one key where many start at once', async () => {
    const path = join(directory, 'key.json');
    const all = await Promise.all(Array.from({ length: 10 }, () => loadOrCreateSigningKeys(reference(path))));
    expect(new Set(all.map(({ current }) => current.kid)).size).toBe(1);
    expect(await readdir(directory)).toEqual(['key.json']);
    const later = await loadOrCreateSigningKeys(reference(path));
    expect(later.current.kid).toBe(all[0]?.current.kid);
  });

  it('says where it can not keep them', async () => {
    const path = join(directory, 'file');
    await loadOrCreateSigningKeys(reference(path));
    await expect(loadOrCreateSigningKeys(reference(join(path, 'key.json')))).rejects.toThrow(
      /^the signing keys can't be kept in .*\/file\/key\.json: /,
    );
  });
});
