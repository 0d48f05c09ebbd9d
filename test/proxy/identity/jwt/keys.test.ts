import { beforeAll, describe, expect, it } from 'vitest';
import { createCertificateAuthority } from '../../../support/certificates.ts';
import { startFake } from '../support/http-fake.ts';
import { createIssuer, createIssuerKey, DISCOVERY, type IssuerKey, KEYS } from '../support/issuer.ts';
import { createStillClock } from '../support/still-clock.ts';
import { type JwtInput, jwtVerifierOf } from './support.ts';

let key: IssuerKey;
let next: IssuerKey;

beforeAll(async () => {
  key = await createIssuerKey('ES256', 'one');
  next = await createIssuerKey('ES256', 'two');
});

async function setUp(input: JwtInput = {}) {
  const clock = createStillClock();
  const issuer = await createIssuer(key, clock);
  const made = jwtVerifierOf({ issuer: issuer.url, ...input }, clock);
  const sign = (signer = key) => issuer.sign({ exp: clock.now() / 1000 + 300 }, {}, signer);
  return { clock, issuer, sign, ...made };
}

const MINUTE_MS = 60_000;

describe('keys of an issuer', () => {
  it('are fetched once for many logins, those at once included', async () => {
    const { issuer, sign, verify } = await setUp();
    const token = await sign();
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => verify(token)));
    expect(outcomes.every(({ type }) => type === 'identity')).toBe(true);
    await verify(token);
    expect([issuer.requests(DISCOVERY), issuer.requests(KEYS)]).toEqual([1, 1]);
  });

  it('are fetched at most once in 30 seconds for ids that nobody knows', async () => {
    const { clock, issuer, sign, verify } = await setUp();
    await verify(await sign());
    const storm = async () => {
      for (let count = 0; count < 20; count += 1) {
        const token = await issuer.sign({}, { kid: `unknown-${count}` });
        expect(await verify(token)).toMatchObject({ type: 'refused' });
      }
    };
    await storm();
    expect(issuer.requests(KEYS)).toBe(1);
    clock.advance(29_999);
    await storm();
    expect(issuer.requests(KEYS)).toBe(1);
    clock.advance(1);
    await storm();
    expect(issuer.requests(KEYS)).toBe(2);
  });

  it('are fetched again when a new one signs', async () => {
    const { clock, issuer, sign, verify } = await setUp();
    await verify(await sign());
    issuer.publish([key.jwk, next.jwk]);
    clock.advance(30_000);
    expect(await verify(await sign(next))).toMatchObject({ type: 'identity' });
    expect(await verify(await sign())).toMatchObject({ type: 'identity' });
  });

  it('end when they are withdrawn, at the next refresh', async () => {
    const { clock, issuer, sign, verify } = await setUp();
    await verify(await sign());
    issuer.publish([next.jwk]);
    clock.advance(10 * MINUTE_MS);
    expect(await verify(await sign())).toMatchObject({ type: 'identity' });
    clock.advance(1);
    expect(await verify(await sign())).toMatchObject({ type: 'refused' });
  });

  it('are kept while the issuer is down, for as long as is configured', async () => {
    const { clock, issuer, sign, verify, warnings } = await setUp({ keepKeys: '1h' });
    await verify(await sign());
    await issuer.server.stop();
    clock.advance(30 * MINUTE_MS);
    expect(await verify(await sign())).toMatchObject({ type: 'identity' });
    expect(warnings).toHaveLength(1);
    expect(await verify(await sign(next))).toMatchObject({ type: 'cannot-tell' });
    clock.advance(30 * MINUTE_MS);
    expect(await verify(await sign())).toMatchObject({ type: 'identity' });
    clock.advance(1);
    expect(await verify(await sign())).toMatchObject({ type: 'cannot-tell' });
  });

  it('that are known are not waited for while an issuer that failed is asked again', async () => {
    const { clock, issuer, sign, verify, warnings } = await setUp();
    await verify(await sign());
    issuer.answerInstead(DISCOVERY, () => ({ status: 500 }));
    clock.advance(11 * MINUTE_MS);
    await verify(await sign());
    issuer.answerInstead(DISCOVERY, () => undefined);
    clock.advance(11 * MINUTE_MS);
    // The issuer never answers this: a verifier that waited would have heard of a second failure.
    expect(await verify(await sign())).toMatchObject({ type: 'identity' });
    expect(warnings).toHaveLength(1);
  });

  it('are not asked for again at each login while the issuer is down from the beginning', async () => {
    const { clock, issuer, sign, verify } = await setUp();
    issuer.answerInstead(DISCOVERY, () => ({ status: 503 }));
    for (let count = 0; count < 10; count += 1) {
      expect(await verify(await sign())).toMatchObject({ type: 'cannot-tell' });
    }
    expect(issuer.requests(DISCOVERY)).toBe(1);
    issuer.answerInstead(DISCOVERY, undefined);
    clock.advance(5_000);
    expect(await verify(await sign())).toMatchObject({ type: 'identity' });
    // Its failure is forgotten: what it does not know, it does not know.
    expect(await verify(await sign(next))).toMatchObject({ type: 'refused' });
  });

  it('are given up when the issuer does not answer', async () => {
    const { clock, issuer, sign, verify } = await setUp();
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    issuer.answerInstead(KEYS, () => {
      asked();
      return undefined;
    });
    const outcome = verify(await sign());
    await isAsked;
    clock.advance(8_000);
    expect(await outcome).toMatchObject({ type: 'cannot-tell' });
    expect(issuer.requests(KEYS)).toBe(1);
  });

  it('end with the verifier, also while they are on their way', async () => {
    const { issuer, sign, verify, verifier } = await setUp();
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    issuer.answerInstead(KEYS, () => {
      asked();
      return undefined;
    });
    const outcome = verify(await sign());
    await isAsked;
    await verifier.close();
    expect(await outcome).toMatchObject({ type: 'cannot-tell' });
  });

  it('stay as they were when the clock is set back', async () => {
    const { clock, issuer, sign, verify } = await setUp();
    await verify(await sign());
    clock.advance(-60 * MINUTE_MS);
    expect(await verify(await sign())).toMatchObject({ type: 'identity' });
    expect(issuer.requests(KEYS)).toBe(2);
  });

  it.each([
    ['no JSON', 'canary {'],
    ['a list', []],
    ['no keys', { keys: [] }],
    ['keys that are none', { keys: [1, null, 'x', []] }],
    ['more keys than anybody has', { keys: Array.from({ length: 101 }, () => ({})) }],
    ['a flood', 'x'.repeat(600_000)],
  ])('cannot be told from %s', async (_, body) => {
    const { issuer, sign, verify } = await setUp();
    issuer.answerInstead(KEYS, () => ({ status: 200, body }));
    const outcome = await verify(await sign());
    expect(outcome).toMatchObject({ type: 'cannot-tell' });
    expect(`${outcome.type === 'cannot-tell' ? outcome.cause : ''}`).not.toContain('canary');
  });
});

describe('discovery', () => {
  it('finds the keys over https with the authority of the configuration, and not without', async () => {
    const authority = await createCertificateAuthority();
    const tls = await authority.issue(['127.0.0.1']);
    const clock = createStillClock();
    const issuer = await createIssuer(key, clock, tls);
    const input = { issuer: issuer.url, certificateAuthorityFile: 'ca.crt' };
    const token = await issuer.sign();
    expect(await jwtVerifierOf({ issuer: issuer.url }, clock).verify(token)).toMatchObject({
      type: 'cannot-tell',
    });
    expect(issuer.server.received).toEqual([]);
    const trusting = jwtVerifierOf(input, clock, { authority: authority.certificatePem });
    expect(await trusting.verify(token)).toMatchObject({ type: 'identity' });
  });

  it('drops one slash at the end of the issuer, and no other', async () => {
    const clock = createStillClock();
    const issuer = await createIssuer(key, clock);
    const name = `${issuer.url}/tenant/`;
    issuer.answerInstead(`/tenant${DISCOVERY}`, () => ({
      status: 200,
      body: { issuer: name, jwks_uri: `${issuer.url}${KEYS}` },
    }));
    const { verify } = jwtVerifierOf({ issuer: name }, clock);
    expect(await verify(await issuer.sign({ iss: name }))).toMatchObject({ type: 'identity' });
  });

  it('is not believed when it names another issuer', async () => {
    for (const named of ['https://evil.example', undefined, '', 1]) {
      const { issuer, sign, verify } = await setUp();
      const body = { issuer: named, jwks_uri: `${issuer.url}${KEYS}` };
      issuer.answerInstead(DISCOVERY, () => ({ status: 200, body }));
      expect(await verify(await sign())).toMatchObject({ type: 'cannot-tell' });
      expect(issuer.requests(KEYS)).toBe(0);
    }
  });

  it.each([undefined, 1, '', '/keys', 'file:///etc/passwd', 'ftp://127.0.0.1/keys'])(
    'is not believed when it puts the keys at %j',
    async (jwksUri) => {
      const { issuer, sign, verify } = await setUp();
      issuer.answerInstead(DISCOVERY, () => ({
        status: 200,
        body: { issuer: issuer.url, jwks_uri: jwksUri },
      }));
      expect(await verify(await sign())).toMatchObject({ type: 'cannot-tell' });
      expect(issuer.server.received).toHaveLength(1);
    },
  );

  it('follows no redirect, and takes nothing that comes with one', async () => {
    const { clock, issuer, sign, verify } = await setUp();
    const headers = { location: `${issuer.url}/elsewhere` };
    const document = { issuer: issuer.url, jwks_uri: `${issuer.url}${KEYS}` };
    issuer.answerInstead(DISCOVERY, () => ({ status: 302, headers, body: document }));
    expect(await verify(await sign())).toMatchObject({ type: 'cannot-tell' });
    issuer.answerInstead(DISCOVERY, undefined);
    issuer.answerInstead(KEYS, () => ({ status: 302, headers, body: { keys: [key.jwk] } }));
    clock.advance(5_000);
    expect(await verify(await sign())).toMatchObject({ type: 'cannot-tell' });
    expect(issuer.requests(KEYS)).toBe(1);
    expect(issuer.requests('/elsewhere')).toBe(0);
  });

  it.each(['http', 'https'])('sends nothing to another place of this network over %s', async (scheme) => {
    const inner = await startFake(() => ({ status: 200, body: { keys: [key.jwk] } }));
    const port = new URL(inner.url).port;
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '169.254.169.254', 'keys.example.com']) {
      const clock = createStillClock();
      const issuer = await createIssuer(key, clock);
      issuer.answerInstead(DISCOVERY, () => ({
        status: 200,
        body: { issuer: issuer.url, jwks_uri: `${scheme}://${host}:${port}/keys` },
      }));
      const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
      const { verify } = jwtVerifierOf({ issuer: issuer.url }, clock, { resolve });
      const outcome = await verify(await issuer.sign());
      expect(outcome).toMatchObject({ type: 'cannot-tell', cause: { name: 'UnsafeAddressError' } });
    }
    expect(inner.received).toEqual([]);
  });
});
