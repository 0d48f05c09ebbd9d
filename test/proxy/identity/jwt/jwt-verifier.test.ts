import { beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../../../src/core/index.ts';
import { jwtVerifierOptions } from '../../../../src/proxy/identity/jwt/index.ts';
import { createIssuer, createIssuerKey, type IssuerKey, KEYS } from '../support/issuer.ts';
import { createStillClock, type StillClock } from '../support/still-clock.ts';
import { describeVerifier } from '../verifier-suite.ts';
import { type JwtInput, jwtVerifierOf } from './support.ts';

let key: IssuerKey;

beforeAll(async () => {
  key = await createIssuerKey('RS256', 'one');
});

async function setUp(input: JwtInput = {}) {
  const clock = createStillClock();
  const issuer = await createIssuer(key, clock);
  return { clock, issuer, ...jwtVerifierOf({ issuer: issuer.url, ...input }, clock) };
}

describeVerifier('jwt', async () => {
  const { verifier, issuer } = await setUp();
  return {
    verifier,
    username: 'anything',
    password: await issuer.sign(),
    identityName: 'somebody',
    unknownUsername: undefined,
  };
});

describe('jwt', () => {
  it('knows the issuer that it is for', async () => {
    const { verifier, issuer } = await setUp();
    expect(verifier.issuer).toBe(issuer.url);
    expect(verifier.renew).toBeUndefined();
  });

  it('makes an identity of the claims that are asked for, and of no other', async () => {
    const { verify, issuer } = await setUp({
      nameClaim: 'user.login',
      groupsClaim: 'https://example.com/groups',
      claims: ['repository', 'run.attempt', 'missing', 'nothing'],
    });
    const token = await issuer.sign({
      user: { login: 'anna' },
      'https://example.com/groups': ['a', 'b', 'a'],
      repository: 'acme/app',
      run: { attempt: 2, secret: 1 },
      nothing: null,
      other: 'x',
    });
    expect(await verify(token)).toEqual({
      type: 'identity',
      identity: {
        verifier: 'ci',
        name: 'anna',
        groups: ['a', 'b'],
        claims: { repository: 'acme/app', 'run.attempt': 2 },
      },
    });
  });

  it.each([
    ['a text', 'a', ['a']],
    ['nothing', undefined, []],
    ['an empty list', [], []],
  ])('takes %s for groups', async (_, groups, expected) => {
    const { verify, issuer } = await setUp({ groupsClaim: 'groups' });
    expect(await verify(await issuer.sign({ groups }))).toMatchObject({ identity: { groups: expected } });
  });

  it.each([[{ groups: { a: 1 } }], [{ groups: ['a', 1] }], [{ groups: 7 }], [{ groups: [['a']] }]])(
    'refuses groups that are none: %j',
    async (claims) => {
      const { verify, issuer } = await setUp({ groupsClaim: 'groups' });
      expect(await verify(await issuer.sign(claims))).toMatchObject({ type: 'refused' });
    },
  );

  it.each([undefined, '', ['somebody'], { a: 1 }, true, 'a\nb', 'x'.repeat(2000)])(
    'refuses %j for a name',
    async (sub) => {
      const { verify, issuer } = await setUp();
      expect(await verify(await issuer.sign({ sub }))).toMatchObject({ type: 'refused' });
    },
  );

  it('takes no claim that only an object has by birth', async () => {
    const { verify, issuer } = await setUp({ nameClaim: 'toString', claims: ['valueOf'] });
    expect(await verify(await issuer.sign())).toMatchObject({ type: 'refused' });
  });

  describe('required claims', () => {
    const input: JwtInput = {
      requiredClaims: { repository_owner: 'acme', 'job.kind': ['build', 'test'], n: 1 },
    };
    const good = { repository_owner: 'acme', job: { kind: 'test' }, n: 1 };

    it('are met by equal values', async () => {
      const { verify, issuer } = await setUp(input);
      expect(await verify(await issuer.sign(good))).toMatchObject({ type: 'identity' });
    });

    it.each([
      { ...good, repository_owner: 'Acme' },
      { ...good, repository_owner: ['acme'] },
      { ...good, repository_owner: undefined },
      { ...good, job: { kind: 'deploy' } },
      { ...good, job: 'test' },
      { ...good, n: '1' },
    ])('are not met by %j', async (claims) => {
      const { verify, issuer } = await setUp(input);
      expect(await verify(await issuer.sign(claims))).toMatchObject({ type: 'refused' });
    });
  });

  describe('of SPIFFE, with the keys in a file and no issuer', () => {
    function spiffe(clock: StillClock) {
      const input = { jwksFile: 'bundle.json', subjects: ['spiffe://example.org/ns/ci/**'] };
      return jwtVerifierOf(input, clock, { jwks: JSON.stringify({ keys: [key.jwk] }) });
    }

    it.each([
      ['spiffe://example.org/ns/ci/sa/builder', 'identity'],
      ['spiffe://example.org/ns/prod/sa/builder', 'refused'],
      ['spiffe://example.org.evil/ns/ci/sa/builder', 'refused'],
      ['x spiffe://example.org/ns/ci/sa/builder', 'refused'],
    ])('%s: %s', async (sub, type) => {
      const clock = createStillClock();
      const issuer = await createIssuer(key, clock);
      const outcome = await spiffe(clock).verify(await issuer.sign({ sub, iss: undefined }, { typ: 'JOSE' }));
      expect(outcome).toMatchObject({ type });
      expect(issuer.server.received).toEqual([]);
      const isOurs = spiffe(clock).verifier.issued?.(new Secret(await issuer.sign({ sub })));
      expect(isOurs).toBe(type === 'identity');
    });
  });

  it('is given by jwksUrl without discovery', async () => {
    const clock = createStillClock();
    const issuer = await createIssuer(key, clock);
    const { verify } = jwtVerifierOf({ issuer: 'any text', jwksUrl: `${issuer.url}${KEYS}` }, clock);
    expect(await verify(await issuer.sign({ iss: 'any text' }))).toMatchObject({ type: 'identity' });
    expect(issuer.server.received.map(({ path }) => path)).toEqual([KEYS]);
  });

  it.each(['PS256', 'ES256', 'EdDSA'])('takes %s', async (algorithm) => {
    const other = await createIssuerKey(algorithm, 'two');
    const { verify, issuer } = await setUp();
    issuer.publish([key.jwk, other.jwk]);
    expect(await verify(await issuer.sign({}, {}, other))).toMatchObject({ type: 'identity' });
  });

  it('says what is wrong with a key file', () => {
    const make = (jwks: string) => () => jwtVerifierOf({ jwksFile: 'k' }, createStillClock(), { jwks });
    expect(make('canary')).toThrow('/etc/keys.json: the key set is not JSON');
    expect(make('[]')).toThrow('no list of keys');
    expect(make('{"keys":[]}')).toThrow('no key that can be used');
  });
});

describe('options of jwt', () => {
  const good = { type: 'jwt', name: 'ci', issuer: 'https://issuer.example.com', audience: 'a' };

  it('take one audience or several', () => {
    expect(jwtVerifierOptions.parse(good).audience).toEqual(['a']);
    expect(jwtVerifierOptions.parse({ ...good, audience: ['a', 'b'] }).audience).toEqual(['a', 'b']);
  });

  it.each([
    ['no audience', { audience: undefined }],
    ['an empty list of audiences', { audience: [] }],
    ['an empty audience', { audience: '' }],
    ['an algorithm with a shared secret', { algorithms: ['HS256'] }],
    ['no algorithm', { algorithms: ['none'] }],
    ['no list of algorithms', { algorithms: [] }],
    ['an issuer in the clear', { issuer: 'http://issuer.example.com' }],
    ['no issuer', { issuer: undefined }],
    ['an issuer with a user name', { issuer: 'https://a:b@issuer.example.com' }],
    ['keys in the clear', { jwksUrl: 'http://issuer.example.com/keys' }],
    ['two places of keys', { jwksUrl: 'https://issuer.example.com/keys', jwksFile: 'k' }],
    ['a leeway of hours', { leeway: '1h' }],
    ['a claim of prototypes', { claims: ['__proto__.a'] }],
    ['a pattern of three stars', { subjects: ['***'] }],
    ['no subjects', { subjects: [] }],
  ])('refuse %s', (_, change) => {
    expect(jwtVerifierOptions.safeParse({ ...good, ...change }).success).toBe(false);
  });
});
