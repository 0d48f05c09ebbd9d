import { createHmac, createSign, generateKeyPairSync, KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { exportSPKI, importPKCS8, type JWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseKeySet } from '../../../../src/proxy/identity/key-sets/index.ts';
import { createIssuer, createIssuerKey, type IssuerKey, KEYS } from '../support/issuer.ts';
import { createStillClock } from '../support/still-clock.ts';
import { jwtVerifierOf } from './support.ts';

let key: IssuerKey;
let stranger: IssuerKey;

beforeAll(async () => {
  key = await createIssuerKey('RS256', 'one');
  stranger = await createIssuerKey('RS256', 'one');
});

async function setUp() {
  const clock = createStillClock();
  const issuer = await createIssuer(key, clock);
  return { clock, issuer, seconds: clock.now() / 1000, ...jwtVerifierOf({ issuer: issuer.url }, clock) };
}
type SetUp = Awaited<ReturnType<typeof setUp>>;

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function claimsOf({ issuer, seconds }: SetUp) {
  return { iss: issuer.url, aud: 'docker.example.com', sub: 'somebody', iat: seconds, exp: seconds + 300 };
}

/** Signed by the right key, with whatever algorithm the header claims. */
function signedText(header: unknown, payload: string | Buffer): string {
  const text = `${encode(header)}.${Buffer.from(payload).toString('base64url')}`;
  const signature = createSign('sha256').update(text).sign(nodeKey(key.privateKey));
  return `${text}.${signature.toString('base64url')}`;
}

function nodeKey(privateKey: IssuerKey['privateKey']): KeyObject {
  return KeyObject.from(privateKey as Parameters<typeof KeyObject.from>[0]);
}

const FORGERIES: readonly [string, (world: SetUp) => string | Promise<string>][] = [
  ['a key of its own in jwk', ({ issuer }) => issuer.sign({}, { jwk: stranger.jwk }, stranger)],
  [
    'a link to keys of its own',
    ({ issuer }) => issuer.sign({}, { jku: 'https://evil.example/keys' }, stranger),
  ],
  [
    'a certificate of its own',
    ({ issuer }) => issuer.sign({}, { x5c: ['MIIB'], x5u: 'https://e' }, stranger),
  ],
  ['a key of its own and a known id', ({ issuer }) => issuer.sign({}, {}, stranger)],
  ['an unknown id', ({ issuer }) => issuer.sign({}, { kid: 'two' })],
  [
    'an id of objects',
    (world) => signedText({ alg: 'RS256', kid: { one: 1 } }, JSON.stringify(claimsOf(world))),
  ],
  ['an id from a prototype', ({ issuer }) => issuer.sign({}, { kid: '__proto__' })],
  ['no signature', (world) => `${encode({ alg: 'none', kid: 'one' })}.${encode(claimsOf(world))}.`],
  [
    'alg none with a signature',
    (world) => `${encode({ alg: 'none', kid: 'one' })}.${encode(claimsOf(world))}.AAAA`,
  ],
  ['alg None', (world) => `${encode({ alg: 'None', kid: 'one' })}.${encode(claimsOf(world))}.AAAA`],
  ['another algorithm with the same key', async ({ issuer }) => issuer.sign({}, {}, await asPs256())],
  ['no algorithm', (world) => signedText({ kid: 'one' }, JSON.stringify(claimsOf(world)))],
  [
    'extensions that have to be understood',
    (world) =>
      signedText({ alg: 'RS256', kid: 'one', crit: ['b64'], b64: true }, JSON.stringify(claimsOf(world))),
  ],
  [
    'an empty crit',
    (world) => signedText({ alg: 'RS256', kid: 'one', crit: [] }, JSON.stringify(claimsOf(world))),
  ],
  ['another issuer', ({ issuer }) => issuer.sign({ iss: 'https://evil.example' })],
  ['an issuer with a slash more', ({ issuer }) => issuer.sign({ iss: `${issuer.url}/` })],
  ['a list of issuers', ({ issuer }) => issuer.sign({ iss: [issuer.url] })],
  ['no issuer', ({ issuer }) => issuer.sign({ iss: undefined })],
  ['another audience', ({ issuer }) => issuer.sign({ aud: 'docker.example.com.evil.example' })],
  ['an audience in other case', ({ issuer }) => issuer.sign({ aud: 'Docker.example.com' })],
  ['other audiences', ({ issuer }) => issuer.sign({ aud: ['a', 'b'] })],
  ['an empty list of audiences', ({ issuer }) => issuer.sign({ aud: [] })],
  ['nested audiences', ({ issuer }) => issuer.sign({ aud: [['docker.example.com']] })],
  ['audiences of objects', ({ issuer }) => issuer.sign({ aud: { 'docker.example.com': 1 } })],
  ['no audience', ({ issuer }) => issuer.sign({ aud: undefined })],
  ['no end', ({ issuer }) => issuer.sign({ exp: undefined })],
  ['an end of text', ({ issuer }) => issuer.sign({ exp: '99999999999' })],
  [
    'an endless end',
    (world) =>
      signedText(
        { alg: 'RS256', kid: 'one' },
        JSON.stringify(claimsOf(world)).replace(/"exp":\d+/, '"exp":1e999'),
      ),
  ],
  ['an end that has passed', ({ issuer, seconds }) => issuer.sign({ exp: seconds - 61 })],
  ['no time of issue', ({ issuer }) => issuer.sign({ iat: undefined })],
  ['a time of issue to come', ({ issuer, seconds }) => issuer.sign({ iat: seconds + 61 })],
  ['a beginning to come', ({ issuer, seconds }) => issuer.sign({ nbf: seconds + 61 })],
  ['the type of a logout token', ({ issuer }) => issuer.sign({}, { typ: 'logout+jwt' })],
  [
    'a type that is no text',
    (world) => signedText({ alg: 'RS256', kid: 'one', typ: 1 }, JSON.stringify(claimsOf(world))),
  ],
  ['claims that are a list', () => signedText({ alg: 'RS256', kid: 'one' }, '[]')],
  ['claims that are no JSON', () => signedText({ alg: 'RS256', kid: 'one' }, '{')],
  [
    'claims that are no UTF-8',
    () => signedText({ alg: 'RS256', kid: 'one' }, Buffer.from('{"a":"\xff"}', 'latin1')),
  ],
  ['a fourth part', async ({ issuer }) => `${await issuer.sign()}.AAAA`],
  ['two parts', async ({ issuer }) => (await issuer.sign()).split('.').slice(0, 2).join('.')],
  ['padding', async ({ issuer }) => `${await issuer.sign()}=`],
  ['blanks', async ({ issuer }) => ` ${await issuer.sign()}`],
  ['a million dots', () => '.'.repeat(1_000_000)],
  ['a token too long', async ({ issuer }) => issuer.sign({ filling: 'x'.repeat(20_000) })],
  [
    'deep nesting',
    () =>
      `${encode({ alg: 'RS256', kid: 'one' })}.${Buffer.from('['.repeat(9000)).toString('base64url')}.AAAA`,
  ],
];

async function asPs256(): Promise<IssuerKey> {
  const pkcs8 = nodeKey(key.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString();
  return { ...key, algorithm: 'PS256', privateKey: await importPKCS8(pkcs8, 'PS256') };
}

describe('a forged token', () => {
  it.each(FORGERIES)('with %s is refused', async (_, forge) => {
    const world = await setUp();
    const token = await forge(world);
    const outcome = await world.verify(token);
    expect(outcome).toMatchObject({ type: 'refused' });
    // The verifier has not lost its sense for good ones.
    expect(await world.verify(await world.issuer.sign())).toMatchObject({ type: 'identity' });
  });

  it('signed with our public key as a shared secret is refused', async () => {
    const world = await setUp();
    const secrets = [await exportSPKI(key.publicKey), JSON.stringify(key.jwk), key.jwk.n ?? ''];
    for (const secret of secrets) {
      const text = `${encode({ alg: 'HS256', kid: 'one' })}.${encode(claimsOf(world))}`;
      const signature = createHmac('sha256', secret).update(text).digest('base64url');
      expect(await world.verify(`${text}.${signature}`)).toMatchObject({ type: 'refused' });
    }
  });

  it('causes no fetch when it is of another issuer, or no token at all', async () => {
    const world = await setUp();
    await world.verify(await world.issuer.sign({ iss: 'https://evil.example' }));
    await world.verify('hunter2');
    expect(world.issuer.server.received).toEqual([]);
  });

  it('never comes from changing bytes of a good one', async () => {
    const world = await setUp();
    const token = await world.issuer.sign();
    expect(await world.verify(token)).toMatchObject({ type: 'identity' });
    const characters = fc.constantFrom(
      ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+/= \n\0',
    );
    const change = fc.tuple(
      fc.nat(token.length - 1),
      fc.constantFrom('replace', 'insert', 'delete'),
      characters,
    );
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        let changed = token;
        for (const [at, kind, character] of changes) {
          const rest = changed.slice(kind === 'insert' ? at : at + 1);
          changed = `${changed.slice(0, at)}${kind === 'delete' ? '' : character}${rest}`;
        }
        fc.pre(changed !== token);
        expect(await world.verify(changed)).toMatchObject({ type: 'refused' });
      }),
      { numRuns: 500 },
    );
  });

  it('never comes from changing the last character, which holds bits that nobody reads', async () => {
    const world = await setUp();
    const token = await world.issuer.sign();
    for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
      const changed = token.slice(0, -1) + character;
      const expected = changed === token ? 'identity' : 'refused';
      expect(await world.verify(changed)).toMatchObject({ type: expected });
    }
  });
});

describe('the leeway', () => {
  it.each([
    ['exp', -59, 'identity'],
    ['exp', -60, 'refused'],
    ['iat', 60, 'identity'],
    ['iat', 61, 'refused'],
    ['nbf', 60, 'identity'],
    ['nbf', 61, 'refused'],
  ])('%s at %i seconds from now: %s', async (claim, offset, type) => {
    const world = await setUp();
    const token = await world.issuer.sign({ [claim]: world.seconds + offset });
    expect(await world.verify(token)).toMatchObject({ type });
  });

  it('is that of the configuration, and so is the oldest age', async () => {
    const clock = createStillClock();
    const issuer = await createIssuer(key, clock);
    const { verify } = jwtVerifierOf({ issuer: issuer.url, leeway: '0s', maximumAge: '10m' }, clock);
    const seconds = clock.now() / 1000;
    expect(await verify(await issuer.sign({ iat: seconds - 600 }))).toMatchObject({ type: 'identity' });
    expect(await verify(await issuer.sign({ iat: seconds - 601 }))).toMatchObject({ type: 'refused' });
    expect(await verify(await issuer.sign({ exp: seconds }))).toMatchObject({ type: 'refused' });
  });
});

describe('a published key', () => {
  const cases: readonly [string, (jwk: JWK) => object[], string][] = [
    ['without an algorithm', (jwk) => [{ ...jwk, alg: undefined }], 'identity'],
    ['for another algorithm', (jwk) => [{ ...jwk, alg: 'PS256' }], 'refused'],
    ['for an algorithm of another type', (jwk) => [{ ...jwk, alg: 'ES256' }], 'cannot-tell'],
    ['for a shared secret', (jwk) => [{ ...jwk, alg: 'HS256' }], 'cannot-tell'],
    ['for encryption', (jwk) => [{ ...jwk, use: 'enc' }], 'cannot-tell'],
    ['for encryption, by its operations', (jwk) => [{ ...jwk, key_ops: ['encrypt'] }], 'cannot-tell'],
    ['to verify, by its operations', (jwk) => [{ ...jwk, use: undefined, key_ops: ['verify'] }], 'identity'],
    ['whose id another key has too', (jwk) => [jwk, { ...stranger.jwk, kid: jwk.kid }], 'cannot-tell'],
    [
      "with a certificate that is nobody's business",
      (jwk) => [{ ...jwk, x5c: ['AAAA'], x5u: 'https://e' }],
      'identity',
    ],
    ['whose type is a secret', () => [{ kty: 'oct', k: 'AAAA', kid: 'one' }], 'cannot-tell'],
    ['of zeros', (jwk) => [{ ...jwk, n: 'A'.repeat(400) }], 'cannot-tell'],
  ];

  it.each(cases)('%s: %3$s', async (_, change, type) => {
    const world = await setUp();
    world.issuer.publish(change(key.jwk));
    expect(await world.verify(await world.issuer.sign())).toMatchObject({ type });
    expect(world.issuer.requests(KEYS)).toBe(1);
  });

  it.each([
    ['is too short', 'RS256', generateKeyPairSync('rsa', { modulusLength: 1024 })],
    ['has another curve than its algorithm', 'ES256', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['has another type than its algorithm', 'EdDSA', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ])('that %s is not used', (_, alg, { publicKey }) => {
    const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg }];
    const parse = () => parseKeySet(JSON.stringify({ keys }), ['RS256', 'ES256', 'EdDSA']);
    expect(parse).toThrow('no key that can be used');
  });

  it('is found without an id only where it is the only one', async () => {
    const world = await setUp();
    const token = await world.issuer.sign({}, { kid: undefined });
    expect(await world.verify(token)).toMatchObject({ type: 'identity' });
    const other = await setUp();
    other.issuer.publish([key.jwk, { ...stranger.jwk, kid: 'two' }]);
    expect(await other.verify(await other.issuer.sign({}, { kid: undefined }))).toMatchObject({
      type: 'refused',
    });
  });
});
