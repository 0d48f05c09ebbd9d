import { beforeAll, describe, expect, it } from 'vitest';
import { kubernetesVerifierOptions } from '../../../../src/proxy/identity/kubernetes/index.ts';
import { createIssuerKey, DISCOVERY, type IssuerKey, KEYS } from '../support/issuer.ts';
import { describeVerifier } from '../verifier-suite.ts';
import { REVIEWER_TOKEN } from './api-server.ts';
import { type Cluster, createCluster, IDENTITY, type KubernetesInput } from './support.ts';

let key: IssuerKey;

beforeAll(async () => {
  key = await createIssuerKey('RS256', 'one');
});

function offline(cluster: Cluster, input: KubernetesInput = {}) {
  return cluster.verifierOf({ issuer: cluster.issuer.url, offline: {}, ...input });
}

describeVerifier('kubernetes offline', async () => {
  const cluster = await createCluster(key);
  return {
    verifier: offline(cluster).verifier,
    username: 'anything',
    password: await cluster.accountToken(),
    identityName: IDENTITY.name,
    unknownUsername: undefined,
  };
});

describe('a token that is checked offline', () => {
  it('names the same account as by review, and asks only for keys', async () => {
    const cluster = await createCluster(key);
    const { verify, verifier } = offline(cluster);
    expect(await verify(await cluster.accountToken())).toEqual({ type: 'identity', identity: IDENTITY });
    expect(verifier.issuer).toBe(cluster.issuer.url);
    expect(cluster.api.server.received).toEqual([]);
    expect(cluster.issuer.server.received.map(({ path }) => path)).toEqual([DISCOVERY, KEYS]);
  });

  it('is checked with keys that need an own token, which goes to the host of the configuration', async () => {
    const cluster = await createCluster(key);
    await offline(cluster, { offline: { tokenFile: 'token' } }).verify(await cluster.accountToken());
    const shown = cluster.issuer.server.received.map(({ headers }) => headers.authorization);
    expect(shown).toEqual([`Bearer ${REVIEWER_TOKEN}`, `Bearer ${REVIEWER_TOKEN}`]);
  });

  it.each([
    ['a sub that its private claims do not bear out', { sub: 'system:serviceaccount:ci:other' }],
    ['a namespace that its private claims do not bear out', { sub: 'system:serviceaccount:prod:builder' }],
    ['no private claims', { 'kubernetes.io': undefined }],
    ['private claims of another kind', { 'kubernetes.io': ['ci'] }],
    ['the sub of a person', { sub: 'anna' }],
    ['a sub with more parts', { sub: 'system:serviceaccount:ci:builder:x' }],
    ['another audience', { aud: ['https://kubernetes.default.svc'] }],
    ['another issuer', { iss: 'https://other.example' }],
    ['an end that has passed', { exp: 1 }],
  ])('is refused with %s', async (_, claims) => {
    const cluster = await createCluster(key);
    const { verify } = offline(cluster, { namespaces: ['ci', 'prod'] });
    expect(await verify(await cluster.accountToken(claims))).toMatchObject({ type: 'refused' });
  });

  it('is refused when another key signed it, and its account is not let in', async () => {
    const cluster = await createCluster(key);
    const stranger = await createCluster(await createIssuerKey('RS256', 'one'));
    const forged = await stranger.accountToken({ iss: cluster.issuer.url });
    expect(await offline(cluster).verify(forged)).toMatchObject({ type: 'refused' });
    const { verify } = offline(cluster, { namespaces: [] });
    expect(await verify(await cluster.accountToken())).toMatchObject({ type: 'refused' });
  });

  it('leaves it open while there are no keys', async () => {
    const cluster = await createCluster(key);
    await cluster.issuer.server.stop();
    expect(await offline(cluster).verify(await cluster.accountToken())).toMatchObject({
      type: 'cannot-tell',
    });
  });
});

describe('options of kubernetes', () => {
  const common = { type: 'kubernetes', name: 'k', audience: 'a', namespaces: ['ci'] };
  const issuer = 'https://issuer.example.com';

  it.each([
    ['a review', { review: {} }],
    ['an issuer', { issuer, offline: {} }],
    [
      'an issuer that is no URL, with its keys',
      { issuer: 'kubernetes/serviceaccount', offline: { jwksFile: 'k' } },
    ],
  ])('take %s', (_, change) => {
    expect(kubernetesVerifierOptions.safeParse({ ...common, ...change }).error).toBeUndefined();
  });

  it.each([
    ['neither way', {}],
    ['both ways', { issuer, review: {}, offline: {} }],
    ['no list of who is let in', { review: {}, namespaces: undefined }],
    ['no audience', { review: {}, audience: undefined }],
    ['no issuer', { offline: {} }],
    ['an issuer without keys', { issuer: 'kubernetes/serviceaccount', offline: {} }],
    ['keys in two places', { issuer, offline: { jwksFile: 'k', jwksUrl: 'https://k.example.com' } }],
    ['an API server in the clear', { review: { apiServer: 'http://10.0.0.1' } }],
    ['a pattern for a namespace', { review: {}, namespaces: ['ci-*'] }],
    ['an account without a namespace', { review: {}, serviceAccounts: ['builder'] }],
  ])('refuse %s', (_, change) => {
    expect(kubernetesVerifierOptions.safeParse({ ...common, ...change }).success).toBe(false);
  });
});
