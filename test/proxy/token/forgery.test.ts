import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSigningKeys } from '../../../src/proxy/token/index.ts';
import { alice, decodePart, SERVICE, START, scopes, setUpTokens, type Tokens } from './support.ts';

type Members = Record<string, unknown>;

const SECONDS = START / 1000;
const first = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const second = generateKeyPairSync('ed25519');
const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keys = parseSigningKeys(
  JSON.stringify({
    keys: [
      { ...first.privateKey.export({ format: 'jwk' }), kid: 'first' },
      { ...second.privateKey.export({ format: 'jwk' }), kid: 'second' },
    ],
  }),
);

const header: Members = { alg: 'ES256', kid: 'first', typ: 'JWT' };
const payload: Members = {
  iss: 'drp',
  aud: SERVICE,
  sub: 'alice',
  iat: SECONDS,
  nbf: SECONDS,
  exp: SECONDS + 300,
  jti: 'x',
  verifier: 'staff',
  groups: ['dev'],
  claims: {},
  access: [],
};

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

function without(members: Members, ...names: string[]): Members {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)));
}

function signed(head: unknown, body: unknown, key: KeyObject = first.privateKey): string {
  const input = `${encode(head)}.${encode(body)}`;
  const isEc = key.asymmetricKeyType === 'ec';
  const signature = sign(isEc ? 'sha256' : null, Buffer.from(input), {
    key,
    ...(isEc && { dsaEncoding: 'ieee-p1363' as const }),
  });
  return `${input}.${signature.toString('base64url')}`;
}

function hmac(secret: string | Buffer): string {
  const input = `${encode({ ...header, alg: 'HS256' })}.${encode(payload)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

describe('check', () => {
  let setup: Tokens;

  beforeAll(() => {
    setup = setUpTokens({ keys });
  });
  afterAll(() => setup.close());

  const isGood = async (token: string, service = SERVICE): Promise<boolean> =>
    (await setup.tokens.check(token, service)) !== undefined;

  it('accepts what the tests forge when it is forged right', async () => {
    expect(await isGood(signed(header, payload))).toBe(true);
    expect(await isGood(signed({ ...header, alg: 'EdDSA', kid: 'second' }, payload, second.privateKey))).toBe(
      true,
    );
  });

  const publicPem = first.publicKey.export({ type: 'spki', format: 'pem' });
  const publicJwk = first.publicKey.export({ format: 'jwk' });
  const foreignJwk = foreign.publicKey.export({ format: 'jwk' });
  const publishedJwk = keys.current.publicJwk;
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });

  it.each<[string, string]>([
    ['a foreign key in the header', signed({ ...header, jwk: foreignJwk }, payload, foreign.privateKey)],
    [
      'a foreign key with our kid',
      signed({ ...header, jwk: { ...foreignJwk, kid: 'first' } }, payload, foreign.privateKey),
    ],
    ['our own key in the header', signed({ ...header, jwk: publicJwk }, payload)],
    [
      'a foreign key by URL',
      signed({ ...header, jku: 'http://127.0.0.1:1/jwks' }, payload, foreign.privateKey),
    ],
    ['a self-signed certificate', signed({ ...header, x5c: ['MIIB'] }, payload, foreign.privateKey)],
    ['a certificate by URL', signed({ ...header, x5u: 'http://127.0.0.1:1/x' }, payload, foreign.privateKey)],
    ['a foreign key behind our kid', signed(header, payload, foreign.privateKey)],
    ['a key of ours behind the kid of another', signed({ ...header, kid: 'second' }, payload)],
    ['the algorithm of another key of ours', signed({ ...header, alg: 'EdDSA' }, payload, second.privateKey)],
    ['another curve', signed({ ...header, alg: 'ES384' }, payload, p384.privateKey)],
    ['none', `${encode({ ...header, alg: 'none' })}.${encode(payload)}.`],
    ['none with a signature', signed({ ...header, alg: 'none' }, payload)],
    ['None', `${encode({ ...header, alg: 'None' })}.${encode(payload)}.AA`],
    ['none without kid', `${encode({ alg: 'none', typ: 'JWT' })}.${encode(payload)}.`],
    ['HS256 with our public key as PEM', hmac(publicPem)],
    ['HS256 with our public key as trimmed PEM', hmac(publicPem.toString().trim())],
    ['HS256 with our public key as DER', hmac(first.publicKey.export({ type: 'spki', format: 'der' }))],
    ['HS256 with our public key as JWK', hmac(JSON.stringify(publicJwk))],
    ['HS256 with our published key', hmac(JSON.stringify(publishedJwk))],
    ['HS256 with nothing', hmac('')],
    ['crit', signed({ ...header, crit: ['exp'] }, payload)],
    ['crit with an unknown extension', signed({ ...header, crit: ['x'], x: 1 }, payload)],
    ['b64', signed({ ...header, b64: false, crit: ['b64'] }, payload)],
    ['another typ', signed({ ...header, typ: 'at+jwt' }, payload)],
    ['typ in lower case', signed({ ...header, typ: 'jwt' }, payload)],
    ['no typ', signed(without(header, 'typ'), payload)],
    ['no kid', signed(without(header, 'kid'), payload)],
    ['an unknown kid', signed({ ...header, kid: 'third' }, payload)],
    ['a kid of a prototype', signed({ ...header, kid: '__proto__' }, payload)],
    ['a kid that is a list', signed({ ...header, kid: ['first'] }, payload)],
    ['one header member more', signed({ ...header, cty: 'JWT' }, payload)],
    ['a header that is a list', signed([header], payload)],
    ['a header that is null', signed(null, payload)],
    ['a header that is no JSON', signed('canary', payload)],
    ['a payload that is no JSON', signed(header, 'canary')],
    ['a payload that is null', signed(header, null)],
    ['a payload that is a list', signed(header, [payload])],
    [
      'a signature in DER',
      (() => {
        const input = `${encode(header)}.${encode(payload)}`;
        return `${input}.${sign('sha256', Buffer.from(input), first.privateKey).toString('base64url')}`;
      })(),
    ],
    [
      'a signature of zeros (CVE-2022-21449)',
      `${encode(header)}.${encode(payload)}.${Buffer.alloc(64).toString('base64url')}`,
    ],
    ['another issuer', signed(header, { ...payload, iss: 'other' })],
    ['another service', signed(header, { ...payload, aud: 'other.example.com' })],
    ['a service with ours in front', signed(header, { ...payload, aud: `${SERVICE}.evil.example` })],
    ['a list of services', signed(header, { ...payload, aud: [SERVICE] })],
    ['an empty service', signed(header, { ...payload, aud: '' })],
    ['an expired token', signed(header, { ...payload, exp: SECONDS - 1 })],
    ['a token that expires now', signed(header, { ...payload, exp: SECONDS })],
    ['a token not yet valid', signed(header, { ...payload, nbf: SECONDS + 61 })],
    ['a token from the future', signed(header, { ...payload, iat: SECONDS + 61 })],
    ['an end that is text', signed(header, { ...payload, exp: `${SECONDS + 300}` })],
    ['an end that is no number', signed(header, JSON.stringify(payload).replace(/"exp":\d+/, '"exp":1e999'))],
    ['a start that is null', signed(header, { ...payload, nbf: null })],
    ['a name that is no text', signed(header, { ...payload, sub: { name: 'alice' } })],
    ['groups that are text', signed(header, { ...payload, groups: 'dev' })],
    ['claims that are a list', signed(header, { ...payload, claims: [] })],
    ['access that is no list', signed(header, { ...payload, access: { type: 'repository' } })],
    ['anonymous with a name', signed(header, { ...payload, verifier: 'anonymous' })],
    ['a verifier that names nobody', signed(header, { ...payload, sub: '' })],
    ['nothing', ''],
    ['a word', 'canary'],
    ['dots', '..'],
    ['a million dots', '.'.repeat(1_000_000)],
    ['dots up to the limit', '.'.repeat(12_288)],
    ['a huge token', signed(header, { ...payload, jti: 'x'.repeat(20_000) })],
    ['an encrypted token', `${signed(header, payload)}.a.b`],
    ['a trailing dot', `${signed(header, payload)}.`],
    ['a trailing space', `${signed(header, payload)} `],
    ['padding', `${signed(header, payload)}==`],
    ['control characters', '\0.\0.\0'],
    ['JSON serialisation', JSON.stringify({ payload: encode(payload), signatures: [] })],
  ])('refuses %s', async (_, token) => {
    expect(await isGood(token)).toBe(false);
  });

  it.each(Object.keys(payload))('refuses a token without %s', async (name) => {
    expect(await isGood(signed(header, without(payload, name)))).toBe(false);
  });

  it('allows a minute for clocks that differ, at the start only', async () => {
    expect(await isGood(signed(header, { ...payload, nbf: SECONDS + 60, iat: SECONDS + 60 }))).toBe(true);
    expect(await isGood(signed(header, { ...payload, exp: SECONDS + 1 }))).toBe(true);
  });

  it('refuses a token of ours that was cut short or changed anywhere', async () => {
    const { token } = await setup.issue({ scopes: scopes('repository:dev/app:pull') });
    expect(await isGood(token)).toBe(true);
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.nat(5), async (position, bit) => {
        const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
        const letter = letters.indexOf(token[position] ?? '');
        fc.pre(letter >= 0);
        const changed = token.slice(0, position) + letters[letter ^ (1 << bit)] + token.slice(position + 1);
        expect(await isGood(changed)).toBe(false);
        expect(await isGood(token.slice(0, position))).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses every other spelling of a signature', async () => {
    const token = signed(header, payload);
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const accepted = await Promise.all([...letters].map((letter) => isGood(token.slice(0, -1) + letter)));
    expect(accepted.filter(Boolean)).toHaveLength(1);
  });

  it('answers any text at all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary-ascii', maxLength: 300 }), async (text) => {
        expect(await isGood(text)).toBe(false);
      }),
    );
  });

  it('accepts an older key until it leaves the set', async () => {
    const older = setUpTokens({
      keys: parseSigningKeys(
        JSON.stringify({ keys: [{ ...second.privateKey.export({ format: 'jwk' }), kid: 'second' }] }),
      ),
    });
    const { token } = await older.issue();
    await older.close();
    expect(decodePart(token, 0)).toEqual({ alg: 'EdDSA', kid: 'second', typ: 'JWT' });
    expect((await setup.tokens.check(token, SERVICE))?.identity).toEqual(alice);

    const rotated = setUpTokens();
    expect(await rotated.tokens.check(token, SERVICE)).toBeUndefined();
    await rotated.close();
  });
});
