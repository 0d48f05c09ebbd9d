import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/core/index.ts';
import {
  basic,
  createSite,
  PASSWORD,
  type RunningProxy,
  runProxy,
  type Site,
  withToken,
} from '../../support/running-proxy.ts';
import { createIssuer, createIssuerKey, type TestIssuer } from '../support/issuer.ts';

let site: Site;
let running: RunningProxy;
let issuer: TestIssuer;

beforeEach(async () => {
  site = await createSite();
  issuer = await createIssuer(await createIssuerKey('RS256', 'one'), systemClock);
  running = await runProxy(
    await site.options({
      authentication: {
        verifiers: [
          { name: 'local', type: 'htpasswd', file: 'users.htpasswd' },
          {
            name: 'ci',
            type: 'jwt',
            issuer: issuer.url,
            audience: 'docker.example.com',
            requiredClaims: { repository_owner: 'acme' },
            claims: ['repository', 'ref'],
          },
        ],
      },
      authorization: {
        rules: [
          {
            name: 'app',
            when: 'identity.verifier == "ci" && identity.claims.repository == "acme/app"',
            repositories: ['hello'],
            actions: ['pull'],
          },
        ],
      },
    }),
  );
});

afterEach(async () => {
  await running.proxy.close();
  await site.remove();
});

const PIPELINE = {
  sub: 'repo:acme/app:ref:refs/heads/main',
  repository: 'acme/app',
  repository_owner: 'acme',
  ref: 'refs/heads/main',
};

async function login(password: string, username = 'anything'): Promise<Response> {
  const scopes = 'scope=repository:hello:pull&scope=repository:secret/plans:pull&offline_token=true';
  return fetch(`${running.url}/token?${scopes}`, { headers: basic(username, password) });
}

async function pull(name: string, password: string): Promise<number> {
  const { token } = (await (await login(password)).json()) as { token: string };
  const answer = await fetch(`${running.url}/v2/${name}`, { headers: withToken(token) });
  await answer.arrayBuffer();
  return answer.status;
}

describe('a pipeline with nothing but the token of its run', () => {
  it('pulls what the rule over its claims allows, and nothing else', async () => {
    const token = await issuer.sign(PIPELINE);
    expect(await pull('hello/manifests/latest', token)).toBe(200);
    expect(await pull('secret/plans/manifests/v1', token)).toBe(403);
  });

  it('of another repository gets a token that is good for nothing', async () => {
    const token = await issuer.sign({ ...PIPELINE, repository: 'acme/other' });
    expect(await pull('hello/manifests/latest', token)).toBe(403);
  });

  it.each([
    ['another owner', { repository_owner: 'evil', repository: 'acme/app' }],
    ['another audience', { aud: 'docker.example.org' }],
    ['an end that has passed', { exp: 1 }],
  ])('is not let in with %s', async (_, change) => {
    expect((await login(await issuer.sign({ ...PIPELINE, ...change }))).status).toBe(401);
  });

  it('gets no refresh token: nothing stays behind', async () => {
    const answer = await login(await issuer.sign(PIPELINE));
    expect(answer.status).toBe(200);
    expect(await answer.json()).not.toHaveProperty('refresh_token');
  });

  it('hears 503 while the keys of its issuer can not be had, and others still log in', async () => {
    const token = await issuer.sign(PIPELINE);
    await issuer.server.stop();
    expect((await login(token)).status).toBe(503);
    expect((await login(PASSWORD, 'anna')).status).toBe(200);
    expect(running.logged()).not.toContain(token);
  });
});
