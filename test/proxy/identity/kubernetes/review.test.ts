import { beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../../../src/core/index.ts';
import { createIssuerKey, type IssuerKey } from '../support/issuer.ts';
import { describeVerifier } from '../verifier-suite.ts';
import { REVIEWER_TOKEN } from './api-server.ts';
import { createCluster, IDENTITY } from './support.ts';

let key: IssuerKey;

beforeAll(async () => {
  key = await createIssuerKey('RS256', 'one');
});

describeVerifier('kubernetes by review', async () => {
  const cluster = await createCluster(key);
  return {
    verifier: cluster.verifierOf().verifier,
    username: 'anything',
    password: await cluster.accountToken(),
    identityName: IDENTITY.name,
    unknownUsername: undefined,
  };
});

describe('a token that the API server reviews', () => {
  it('names the account, its namespace, pod and node', async () => {
    const cluster = await createCluster(key);
    const token = await cluster.accountToken();
    const { verify } = cluster.verifierOf();
    expect(await verify(token)).toEqual({ type: 'identity', identity: IDENTITY });
    expect(JSON.parse(cluster.api.server.received[0]?.body ?? '')).toEqual({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token, audiences: ['docker.example.com'] },
    });
  });

  it('is refused when the cluster does not take it', async () => {
    const cluster = await createCluster(key);
    const token = await cluster.accountToken();
    cluster.api.revoke(token);
    expect(await cluster.verifierOf().verify(token)).toMatchObject({ type: 'refused' });
  });

  it('is refused when somebody else signed it', async () => {
    const cluster = await createCluster(key);
    const other = await createCluster(await createIssuerKey('RS256', 'one'));
    const token = await other.accountToken({ iss: cluster.issuer.url });
    expect(await cluster.verifierOf().verify(token)).toMatchObject({ type: 'refused' });
    expect(cluster.api.server.received).toHaveLength(1);
  });

  it.each([
    ['an empty list', []],
    ['no list', undefined],
    ['others', ['https://kubernetes.default.svc']],
    ['a text', 'docker.example.com'],
    ['one that is nearly ours', ['docker.example.com.']],
  ])('is refused when the audiences that the API server checked are %s', async (_, audiences) => {
    const cluster = await createCluster(key);
    cluster.api.changeStatus((status) => ({ ...status, audiences }));
    expect(await cluster.verifierOf().verify(await cluster.accountToken())).toMatchObject({
      type: 'refused',
    });
  });

  it.each(['true', 1, undefined, {}])('is refused when authenticated is %j', async (authenticated) => {
    const cluster = await createCluster(key);
    cluster.api.changeStatus((status) => ({ ...status, authenticated }));
    expect(await cluster.verifierOf().verify(await cluster.accountToken())).toMatchObject({
      type: 'refused',
    });
  });

  it.each([
    'kubernetes-admin',
    'system:node:a',
    'system:serviceaccount:ci',
    'system:serviceaccount:ci:a:b',
    undefined,
  ])('is refused when its user is %j', async (username) => {
    const cluster = await createCluster(key);
    cluster.api.changeStatus((status) => ({ ...status, user: { username, uid: 'u' } }));
    expect(await cluster.verifierOf().verify(await cluster.accountToken())).toMatchObject({
      type: 'refused',
    });
  });

  it('is another account when the API server says so: what the token says of itself counts for nothing', async () => {
    const cluster = await createCluster(key);
    cluster.api.changeStatus((status) => ({
      ...status,
      user: { username: 'system:serviceaccount:prod:deployer' },
    }));
    expect(await cluster.verifierOf().verify(await cluster.accountToken())).toMatchObject({
      type: 'refused',
    });
  });

  it.each([
    ['no token', 'hunter2'],
    ['the token of a person', { sub: 'anna' }],
    ['for another audience', { aud: ['https://kubernetes.default.svc'] }],
    ['for no audience, as those of old secrets', { aud: undefined }],
    ['of another cluster', { iss: 'https://other.example' }],
  ])('is not even sent when it is %s', async (_, what) => {
    const cluster = await createCluster(key);
    const { verify } = cluster.verifierOf({ issuer: cluster.issuer.url });
    const token = typeof what === 'string' ? what : await cluster.accountToken(what);
    expect(await verify(token)).toMatchObject({ type: 'refused' });
    expect(cluster.api.server.received).toEqual([]);
  });
});

it('a token of an account is not for other verifiers, where no issuer says whose it is', async () => {
  const cluster = await createCluster(key);
  const [account, person] = [await cluster.accountToken(), await cluster.accountToken({ sub: 'anna' })];
  const { verifier } = cluster.verifierOf();
  const issued = [account, person, 'hunter2'].map((text) => verifier.issued?.(new Secret(text)));
  expect(issued).toEqual([true, false, false]);
  expect(cluster.verifierOf({ issuer: cluster.issuer.url }).verifier.issued).toBeUndefined();
});

describe('the lists of who is let in', () => {
  it.each([
    [{ namespaces: ['ci'] }, 'identity'],
    [{ namespaces: ['prod'] }, 'refused'],
    [{ namespaces: [] }, 'refused'],
    [{ namespaces: undefined, serviceAccounts: ['ci/builder'] }, 'identity'],
    [{ namespaces: undefined, serviceAccounts: ['ci/other', 'prod/builder'] }, 'refused'],
    [{ namespaces: undefined, serviceAccounts: [] }, 'refused'],
    [{ namespaces: ['ci'], serviceAccounts: ['ci/builder'] }, 'identity'],
    [{ namespaces: ['ci'], serviceAccounts: ['ci/other'] }, 'refused'],
    [{ namespaces: ['ci'], serviceAccounts: [] }, 'refused'],
    [{ namespaces: ['prod'], serviceAccounts: ['ci/builder'] }, 'refused'],
  ])('%j: %s', async (lists, type) => {
    const cluster = await createCluster(key);
    expect(await cluster.verifierOf(lists).verify(await cluster.accountToken())).toMatchObject({ type });
  });
});

describe('answers of the API server', () => {
  it('are remembered for a minute, for good tokens', async () => {
    const cluster = await createCluster(key);
    const { verify } = cluster.verifierOf();
    const token = await cluster.accountToken();
    await Promise.all(Array.from({ length: 20 }, () => verify(token)));
    cluster.clock.advance(59_999);
    cluster.api.revoke(token);
    expect(await verify(token)).toMatchObject({ type: 'identity' });
    expect(cluster.api.server.received).toHaveLength(1);
    cluster.clock.advance(1);
    expect(await verify(token)).toMatchObject({ type: 'refused' });
    expect(cluster.api.server.received).toHaveLength(2);
  });

  it('are not remembered beyond the end of the token', async () => {
    const cluster = await createCluster(key);
    const { verify } = cluster.verifierOf();
    const token = await cluster.accountToken({ exp: cluster.clock.now() / 1000 + 10 });
    await verify(token);
    cluster.clock.advance(10_000);
    await verify(token);
    expect(cluster.api.server.received).toHaveLength(2);
  });

  it('are not remembered when they are a no', async () => {
    const cluster = await createCluster(key);
    const { verify } = cluster.verifierOf();
    const token = await cluster.accountToken();
    cluster.api.changeStatus(() => ({ authenticated: false }));
    await verify(token);
    cluster.api.changeStatus(undefined);
    expect(await verify(token)).toMatchObject({ type: 'identity' });
  });

  it('say that the proxy may not review', async () => {
    const cluster = await createCluster(key, { mayReview: false });
    expect(await cluster.verifierOf().verify(await cluster.accountToken())).toMatchObject({
      type: 'cannot-tell',
      reason: expect.stringContaining('system:auth-delegator'),
    });
  });

  it("say that the proxy's own token is not good", async () => {
    const cluster = await createCluster(key);
    const { verify } = cluster.verifierOf({}, 'canary-of-an-old-token');
    const outcome = await verify(await cluster.accountToken());
    expect(outcome).toMatchObject({ type: 'cannot-tell', reason: expect.stringContaining('tokenFile') });
    expect(JSON.stringify(outcome)).not.toContain('canary');
  });

  it.each([
    ['an error', { status: 500 }],
    ['a redirect', { status: 307, headers: { location: 'http://127.0.0.1:1/' } }],
    ['no JSON', { status: 201, body: 'canary' }],
    ['another kind', { status: 201, body: { kind: 'Status', status: { authenticated: true } } }],
    ['no status', { status: 201, body: { kind: 'TokenReview' } }],
    ['a flood', { status: 201, body: 'x'.repeat(300_000) }],
  ])('that are %s leave it open', async (_, answer) => {
    const cluster = await createCluster(key);
    cluster.api.answerInstead(() => answer);
    expect(await cluster.verifierOf().verify(await cluster.accountToken())).toMatchObject({
      type: 'cannot-tell',
    });
  });

  it('that do not come leave it open', async () => {
    const cluster = await createCluster(key);
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    cluster.api.answerInstead(() => {
      asked();
      return undefined;
    });
    const outcome = cluster.verifierOf().verify(await cluster.accountToken());
    await isAsked;
    cluster.clock.advance(8_000);
    expect(await outcome).toMatchObject({ type: 'cannot-tell' });
  });

  it('leave it open when the server is down or somebody else', async () => {
    const cluster = await createCluster(key);
    const stranger = await createCluster(key);
    const token = await cluster.accountToken();
    const toStranger = cluster.verifierOf({ review: { apiServer: stranger.api.server.url } });
    expect(await toStranger.verify(token)).toMatchObject({ type: 'cannot-tell' });
    expect(stranger.api.server.received).toEqual([]);
    await cluster.api.server.stop();
    expect(await cluster.verifierOf().verify(token)).toMatchObject({ type: 'cannot-tell' });
  });

  it('are asked for with the own token of the proxy, and never with the one that is shown', async () => {
    const cluster = await createCluster(key);
    await cluster.verifierOf().verify(await cluster.accountToken());
    const [request] = cluster.api.server.received;
    expect(request?.headers.authorization).toBe(`Bearer ${REVIEWER_TOKEN}`);
  });
});
