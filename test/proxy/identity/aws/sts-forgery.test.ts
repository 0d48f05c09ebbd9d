import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../../src/core/index.ts';
import { formatStsProof, STS_AUDIENCE_HEADER } from '../../../../src/machine-identity/index.ts';
import { AUDIENCE, createStsBench, pack, type Signing, sign } from './sts-support.ts';

const REFUSED = { type: 'refused' };

describe('a request that AWS is not even asked about', () => {
  it.each([
    'sts.eu-west-1.amazonaws.com.example.com',
    'sts.eu-west-1.amazonaws.com.',
    'sts.eu-west-1.amazonaws.co',
    'sts.eu-west-1.amazonaws.com.cn',
    'sts-eu-west-1.amazonaws.com',
    'xsts.eu-west-1.amazonaws.com',
    'sts.eu-west-2.amazonaws.com',
    'sts.amazonaws.com',
    'sts.eu-west-1.amazonaws.com:443',
    'sts.eu-west-1.amazonaws.com/',
    'sts.eu-west-1.amazonaws.com@example.com',
    'example.com#sts.eu-west-1.amazonaws.com',
    'STS.eu-west-1.amazonaws.com',
    'ec2.eu-west-1.amazonaws.com',
    's3.eu-west-1.amazonaws.com',
    '169.254.169.254',
    '127.0.0.1',
    'localhost',
    '',
  ])('is one for the host %j', async (host) => {
    const { verify, keys, clock, sts } = await createStsBench();
    expect(await verify({ ...(await sign(keys, clock)), host })).toMatchObject(REFUSED);
    expect(sts.requests).toHaveLength(0);
  });

  it.each([
    'eu-west-1.example.com/',
    'eu-west-1/x',
    'eu-west',
    'EU-WEST-1',
    'eu-west-1\r\n',
    '../eu-west-1',
    '',
  ])('is one for the region %j', async (region) => {
    const { verify, keys, clock, sts } = await createStsBench();
    expect(
      await verify({ ...(await sign(keys, clock)), region, host: `sts.${region}.amazonaws.com` }),
    ).toMatchObject(REFUSED);
    expect(sts.requests).toHaveLength(0);
  });

  it.each([
    ['a header', { headers: { 'X-Drp-Audience': 'x' } }],
    ['a header in another case', { Audience: AUDIENCE }],
    ['a body', { body: 'Action=AssumeRole' }],
    ['a query', { query: 'Action=GetCallerIdentity&action=AssumeRole' }],
    ['a URL', { url: 'https://example.com/' }],
    ['another method', { method: 'GET' }],
    ['names of signed headers', { signedHeaders: 'host;x-amz-date' }],
    ['__proto__', JSON.parse('{"__proto__":{"host":"example.com"}}')],
  ])('is one that brings %s', async (_, extra) => {
    const { verify, keys, clock, sts } = await createStsBench();
    expect(await verify({ ...(await sign(keys, clock)), ...extra })).toMatchObject(REFUSED);
    expect(sts.requests).toHaveLength(0);
  });

  it('is one with a part twice', async () => {
    const { verify, keys, clock, sts } = await createStsBench();
    const text = JSON.stringify(await sign(keys, clock));
    const audiences = [
      text.replace('{', '{"audience":"other.example.com",'),
      text.replace(/\}$/, `,"audience":"${AUDIENCE}"}`),
      text.replace(/\}$/, ',"__proto__":{}}'),
    ];
    for (const twice of audiences) {
      expect(await verify(pack(twice).reveal())).toMatchObject(REFUSED);
    }
    expect(sts.requests).toHaveLength(0);
  });

  it.each([
    ['date', '20260230T000000Z'],
    ['date', '20260101T250000Z'],
    ['date', '2026-01-01T00:00:00Z'],
    ['date', 'now'],
    ['key', 'AKIA/20260101/us-east-1/sts/aws4_request'],
    ['key', 'ASIA, SignedHeaders=host'],
    ['token', 'a\r\nx-drp-audience: docker.example.com'],
    ['token', ''],
    ['token', 'x'.repeat(7000)],
    ['signature', 'f'.repeat(63)],
    ['signature', `${'f'.repeat(64)}, x`],
    ['audience', 'docker.example.com\r\nhost: x'],
    ['audience', ['docker.example.com']],
    ['signature', null],
  ])('is one whose %s is %j', async (part, value) => {
    const { verify, keys, clock, sts } = await createStsBench();
    expect(await verify({ ...(await sign(keys, clock)), [part]: value })).toMatchObject(REFUSED);
    expect(sts.requests).toHaveLength(0);
  });

  it('is one that was signed for another service, and says so', async () => {
    const { verify, keys, clock, sts } = await createStsBench();
    expect(await verify(await sign(keys, clock, { audience: 'other.example.com' }))).toMatchObject(REFUSED);
    expect(sts.requests).toHaveLength(0);
  });
});

describe('a request that AWS turns away', () => {
  const forgeries: readonly (readonly [string, Signing])[] = [
    ['for another service', { audience: 'other.example.com' }],
    ['without the audience among the signed headers', { headers: { [STS_AUDIENCE_HEADER]: undefined } }],
    [
      'with the header of EKS in its place',
      { headers: { [STS_AUDIENCE_HEADER]: undefined, 'x-k8s-aws-id': AUDIENCE } },
    ],
    ['for another action', { body: 'Action=AssumeRole&Version=2011-06-15' }],
    [
      'with the action twice',
      { body: 'Action=GetCallerIdentity&Version=2011-06-15&Action=GetCallerIdentity' },
    ],
    ['with the action in another case', { body: 'action=GetCallerIdentity&Version=2011-06-15' }],
    ['with GET', { method: 'GET', body: '' }],
    ['for another path', { path: '/x' }],
    ['for another host', { host: 'sts.eu-central-1.amazonaws.com' }],
    ['as another type of body', { headers: { 'content-type': 'application/json' } }],
    ['with one more header', { headers: { 'x-other': '1' } }],
  ];

  it.each(forgeries)('is one that was signed %s', async (_, signing) => {
    const { verify, keys, clock } = await createStsBench();
    const good = await sign(keys, clock);
    const { signature } = await sign(keys, clock, signing);
    expect(signature).not.toBe(good.signature);
    expect(await verify({ ...good, signature })).toMatchObject(REFUSED);
  });

  it('is one with the key of somebody else', async () => {
    const { verify, keys, clock, accounts } = await createStsBench();
    const other = accounts.createUser('444455556666', 'mallory');
    const { token: _, ...proof } = await sign(keys, clock);
    expect(await verify({ ...proof, key: other.accessKeyId })).toMatchObject(REFUSED);
    expect(await verify(proof)).toMatchObject(REFUSED);
    expect(await verify({ ...(await sign(other, clock)), key: keys.accessKeyId })).toMatchObject(REFUSED);
  });

  it('is one whose time was changed', async () => {
    const { verify, keys, clock } = await createStsBench();
    const old = await sign(keys, clock, { date: new Date(clock.now() - 3_600_000) });
    const { date } = await sign(keys, clock);
    expect(await verify({ ...old, date })).toMatchObject(REFUSED);
  });
});

it('no change of a byte of a good request is taken for a good one', async () => {
  const { verifierOf, keys, clock } = await createStsBench();
  const verifier = verifierOf();
  const proof = await sign(keys, clock);
  const good = formatStsProof(proof).reveal();
  const text = JSON.stringify(proof);
  const { signal } = new AbortController();
  const outcomeOf = (password: string) =>
    verifier.verify({ username: '_aws', password: new Secret(password) }, signal);
  const character = fc.string({ minLength: 1, maxLength: 1, unit: 'binary-ascii' });
  await fc.assert(
    fc.asyncProperty(fc.nat(good.length - 1), character, async (at, put) => {
      const changed = good.slice(0, at) + put + good.slice(at + 1);
      fc.pre(changed !== good);
      expect(await outcomeOf(changed)).toMatchObject(REFUSED);
    }),
    { numRuns: 150 },
  );
  // Within the payload: each text is a proof of another request.
  await fc.assert(
    fc.asyncProperty(fc.nat(text.length - 1), character, async (at, put) => {
      const changed = text.slice(0, at) + put + text.slice(at + 1);
      fc.pre(changed !== text);
      expect((await outcomeOf(pack(changed).reveal())).type).not.toBe('identity');
    }),
    { numRuns: 150 },
  );
  expect(await outcomeOf(good)).toMatchObject({ type: 'identity' });
});
