import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  SignJWT,
} from 'jose';
import type { Clock } from '../../../../src/core/index.ts';
import type { IssuedCertificate } from '../../../support/certificates.ts';
import { type FakeAnswer, type HttpFake, startFake } from './http-fake.ts';

/** A key that tokens are signed with. */
export interface IssuerKey {
  readonly algorithm: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
}

export async function createIssuerKey(algorithm: string, kid: string): Promise<IssuerKey> {
  const pair = await generateKeyPair(algorithm, { extractable: true });
  const jwk = { ...(await exportJWK(pair.publicKey)), kid, alg: algorithm, use: 'sig' };
  return { algorithm, ...pair, jwk };
}

/** An issuer of tokens: a discovery document, a key set, and what it takes to sign. */
export interface TestIssuer {
  readonly url: string;
  readonly server: HttpFake;
  /** Replaces the published keys. */
  publish(keys: readonly object[]): void;
  /** Answers in the place of a path, until it is called with undefined. */
  answerInstead(path: string, answer: (() => FakeAnswer | undefined) | undefined): void;
  requests(path: string): number;
  sign(
    claims?: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
    key?: IssuerKey,
  ): Promise<string>;
}

export const DISCOVERY = '/.well-known/openid-configuration';
export const KEYS = '/keys';
export const AUDIENCE = 'docker.example.com';

export async function createIssuer(
  key: IssuerKey,
  clock: Clock,
  tls?: IssuedCertificate,
): Promise<TestIssuer> {
  let keys: readonly object[] = [key.jwk];
  const instead = new Map<string, () => FakeAnswer | undefined>();
  const server = await startFake(({ method, path }) => {
    const replaced = instead.get(path);
    if (replaced) return replaced();
    if (method !== 'GET') return { status: 405 };
    if (path === DISCOVERY) {
      return { status: 200, body: { issuer: server.url, jwks_uri: `${server.url}${KEYS}` } };
    }
    return path === KEYS ? { status: 200, body: { keys } } : { status: 404 };
  }, tls);
  return {
    url: server.url,
    server,
    publish: (published) => {
      keys = published;
    },
    answerInstead: (path, answer) => {
      if (answer) instead.set(path, answer);
      else instead.delete(path);
    },
    requests: (path) => server.received.filter((request) => request.path === path).length,
    sign: (claims = {}, header = {}, signer = key) => {
      const seconds = Math.floor(clock.now() / 1000);
      const all = {
        iss: server.url,
        aud: AUDIENCE,
        sub: 'somebody',
        iat: seconds,
        exp: seconds + 300,
        ...claims,
      };
      const protectedHeader = { alg: signer.algorithm, kid: signer.jwk.kid, typ: 'JWT', ...header };
      return new SignJWT(withoutUndefined(all))
        .setProtectedHeader(withoutUndefined(protectedHeader) as JWTHeaderParameters)
        .sign(signer.privateKey);
    },
  };
}

/** `undefined` stands for what is to be left out. */
function withoutUndefined(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined));
}
