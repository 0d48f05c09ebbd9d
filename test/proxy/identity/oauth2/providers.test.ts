import { describe, expect, it } from 'vitest';
import { Secret } from '../../../../src/core/index.ts';
import { oauth2VerifierOptions } from '../../../../src/proxy/identity/oauth2/index.ts';
import { createStillClock } from '../support/still-clock.ts';
import { describeVerifier } from '../verifier-suite.ts';
import { CLIENT, SECRET, startGithub, startGitlab, startGoogle, type TokenService } from './services.ts';
import { type OAuth2Input, oauth2VerifierOf, type TestVerifier } from './support.ts';

type World = TestVerifier & { readonly service: TokenService };

async function github(input: object = {}, rest: OAuth2Input = {}): Promise<World> {
  const service = await startGithub();
  const options = { url: service.server.url, clientId: 'Iv1.abc', clientSecret: SECRET, ...input };
  return { service, ...oauth2VerifierOf({ username: undefined, github: options, ...rest }) };
}

async function gitlab(rest: OAuth2Input = {}): Promise<World> {
  const service = await startGitlab();
  const options = { url: service.server.url, clientId: CLIENT };
  return { service, ...oauth2VerifierOf({ gitlab: options, ...rest }) };
}

async function google(rest: OAuth2Input = {}): Promise<World> {
  const clock = createStillClock();
  const service = await startGoogle(clock.now());
  const extra = { clock, googleUrl: service.server.url };
  return {
    service,
    ...oauth2VerifierOf({ username: undefined, google: { clientId: CLIENT }, ...rest }, extra),
  };
}

async function userInfo(input: object = {}, rest: OAuth2Input = {}): Promise<World> {
  const service = await startGithub();
  service.interfere(({ path, headers }) => {
    if (headers.authorization !== `Bearer ${service.token}`) return { status: 401 };
    if (path === '/user') return { status: 200, body: { login: 'octocat', id: 1, roles: ['a'] } };
    return undefined;
  });
  const options = {
    url: `${service.server.url}/user`,
    anyClient: true as const,
    nameClaim: 'login',
    ...input,
  };
  return { service, ...oauth2VerifierOf({ userInfo: options, ...rest }) };
}

const KINDS: readonly [string, () => Promise<World>, string][] = [
  ['GitHub', github, 'octocat'],
  ['GitLab', gitlab, 'anna'],
  ['Google', google, 'anna@acme.example'],
  ['user info', userInfo, 'octocat'],
];

for (const [kind, make, identityName] of KINDS) {
  describeVerifier(`oauth2 of ${kind}`, async () => {
    const { service, verifier } = await make();
    return {
      verifier,
      username: 'oauth2',
      password: service.token,
      identityName,
      unknownUsername: undefined,
    };
  });

  describe(`oauth2 of ${kind}`, () => {
    it.each([
      ['is down with an error', { status: 503 }],
      ['has had enough of us', { status: 429 }],
      ['has had enough of us, as GitHub says it', { status: 403, headers: { 'x-ratelimit-remaining': '0' } }],
      ['redirects', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }],
      ['answers no JSON', { status: 200, body: 'canary' }],
      ['answers a number', { status: 200, body: 7 }],
    ])('cannot tell when the service %s', async (_, answer) => {
      const { service, verify } = await make();
      service.interfere(() => answer);
      expect(await verify(service.token)).toMatchObject({ type: 'cannot-tell' });
    });

    it('cannot tell when the service is gone, and says nothing of the token', async () => {
      const { service, verify } = await make();
      await service.server.stop();
      const outcome = await verify(service.token);
      expect(outcome).toMatchObject({ type: 'cannot-tell' });
      const { cause } = outcome as { cause: Error };
      expect(`${JSON.stringify(outcome)} ${cause.stack}`).not.toContain(service.token);
    });

    it('remembers a good token for a minute', async () => {
      const { service, verify, clock } = await make();
      await verify(service.token);
      const asked = service.server.received.length;
      clock.advance(59_999);
      await verify(service.token);
      expect(service.server.received).toHaveLength(asked);
      clock.advance(1);
      service.interfere(() => ({ status: kind === 'GitHub' ? 404 : kind === 'Google' ? 400 : 401 }));
      expect(await verify(service.token)).toMatchObject({ type: 'refused' });
    });
  });
}

describe('tokens of GitHub', () => {
  it('bring the login, and what is asked for', async () => {
    const { service, verify } = await github({}, { claims: ['id', 'scopes', 'app'] });
    expect(await verify(service.token)).toEqual({
      type: 'identity',
      identity: {
        verifier: 'people',
        name: 'octocat',
        groups: [],
        claims: { id: 583231, scopes: ['read:org'] },
      },
    });
    expect(service.server.received).toHaveLength(1);
  });

  it('bring organizations or teams, from all pages', async () => {
    const organizations = await github({ groups: 'organizations' });
    expect(await organizations.verify(organizations.service.token)).toMatchObject({
      identity: { groups: ['acme', 'octo-org'] },
    });
    const teams = await github({ groups: 'teams' });
    const outcome = await teams.verify(teams.service.token);
    const groups = outcome.type === 'identity' ? outcome.identity.groups : [];
    expect([groups.length, groups[0], groups[100]]).toEqual([101, 'acme/team-0', 'acme/team-100']);
  });

  it('are refused without the scope for groups, and left open when there is no end of them', async () => {
    const { service, verify } = await github({ groups: 'teams' });
    service.interfere(({ path }) => (path.startsWith('/user/') ? { status: 403 } : undefined));
    expect(await verify(service.token)).toMatchObject({ type: 'refused' });
    const page = Array.from({ length: 100 }, () => ({ slug: 'a', organization: { login: 'b' } }));
    service.interfere(({ path }) => (path.startsWith('/user/') ? { status: 200, body: page } : undefined));
    expect(await verify(service.token)).toMatchObject({ type: 'cannot-tell' });
  });

  it.each([
    ['another app', { app: { client_id: 'Iv1.abd' }, user: { login: 'a' } }],
    ['no app', { user: { login: 'a' } }],
    ['no user', { app: { client_id: 'Iv1.abc' }, user: null }],
    ['a past', { app: { client_id: 'Iv1.abc' }, user: { login: 'a' }, expires_at: '2020-01-01T00:00:00Z' }],
  ])('are refused with %s', async (_, body) => {
    const { service, verify } = await github();
    service.interfere(() => ({ status: 200, body }));
    expect(await verify(service.token)).toMatchObject({ type: 'refused' });
  });

  it('are left open when our own secret is wrong', async () => {
    const { service, verify } = await github({ clientSecret: 'wrong' });
    expect(await verify(service.token)).toMatchObject({ type: 'cannot-tell' });
  });

  it.each(['hunter2', 'ghp_16C7e42F292c6912E7710c838347Ae178B4a', 'eyJ.a.b'])(
    'are not %s: that is sent nowhere',
    async (text) => {
      const { service, verify } = await github();
      expect(await verify(text)).toMatchObject({ type: 'refused' });
      expect(service.server.received).toEqual([]);
    },
  );
});

describe('tokens of GitLab', () => {
  it('bring the user name and the groups', async () => {
    const { service, verify } = await gitlab({ claims: ['email'] });
    expect(await verify(service.token)).toMatchObject({
      identity: { name: 'anna', groups: ['acme', 'acme/web'], claims: { email: 'anna@acme.example' } },
    });
  });

  it('are refused for another application, or without the scope openid', async () => {
    const { service, verify } = await gitlab();
    service.interfere(({ path }) =>
      path === '/oauth/token/info' ? { status: 200, body: { application: { uid: 'other' } } } : undefined,
    );
    expect(await verify(service.token)).toMatchObject({ type: 'refused' });
    expect(service.server.received).toHaveLength(1);
    service.interfere(({ path }) => (path === '/oauth/userinfo' ? { status: 403 } : undefined));
    expect(await verify(service.token)).toMatchObject({ type: 'refused' });
  });
});

describe('tokens of Google', () => {
  it('bring the address that Google has verified', async () => {
    const { service, verify } = await google({ claims: ['hd'] });
    expect(await verify(service.token)).toMatchObject({
      identity: { name: 'anna@acme.example', claims: { hd: 'acme.example' } },
    });
  });

  it.each([
    ['/tokeninfo', { aud: 'other', sub: '117' }],
    ['/tokeninfo', { aud: CLIENT, sub: '118' }],
    ['/tokeninfo', { aud: CLIENT, sub: '117', exp: '1' }],
    ['/v1/userinfo', { sub: '117', email: 'anna@acme.example', email_verified: false }],
    ['/v1/userinfo', { sub: '117', email: 'anna@acme.example', email_verified: 'true' }],
    ['/v1/userinfo', { sub: '117', email_verified: true }],
  ])('are refused when %s says %j', async (where, body) => {
    const { service, verify } = await google();
    service.interfere(({ path }) => (path.startsWith(where) ? { status: 200, body } : undefined));
    expect(await verify(service.token)).toMatchObject({ type: 'refused' });
  });
});

describe('tokens by user info', () => {
  it('bring groups from the same answer, or from a second URL', async () => {
    const same = await userInfo({ groupsClaim: 'roles' });
    expect(await same.verify(same.service.token)).toMatchObject({ identity: { groups: ['a'] } });
    const { service } = same;
    const second = oauth2VerifierOf({
      userInfo: {
        url: `${service.server.url}/user`,
        anyClient: true,
        nameClaim: 'login',
        headers: { 'X-Version': '1' },
        groups: { url: `${service.server.url}/user/orgs`, field: 'login' },
      },
    });
    expect(await second.verify(service.token)).toMatchObject({ identity: { groups: ['acme', 'octo-org'] } });
    expect(service.server.received.at(-1)?.headers['x-version']).toBe('1');
  });

  it('are refused when the second URL refuses, and when its entries are none', async () => {
    const { service } = await userInfo();
    const withGroups = (field: string) =>
      oauth2VerifierOf({
        userInfo: {
          url: `${service.server.url}/user`,
          anyClient: true,
          nameClaim: 'login',
          groups: { url: `${service.server.url}/user/orgs`, field },
        },
      });
    expect(await withGroups('id').verify(service.token)).toMatchObject({ type: 'refused' });
    expect(await withGroups('missing').verify(service.token)).toMatchObject({ type: 'refused' });
  });
});

describe('a token that only one service makes', () => {
  it.each([
    ['GitHub', github, 'gho_a', true],
    ['GitHub', github, 'ghp_a', false],
    ['Google', google, 'ya29.a', true],
    ['Google', google, 'hunter2', false],
    ['GitLab', gitlab, 'a'.repeat(64), false],
    ['user info', userInfo, 'hunter2', false],
  ])('is known by its look: %s, %3$s', async (_, make, text, expected) => {
    expect((await make()).verifier.issued?.(new Secret(text))).toBe(expected);
  });
});

describe('options of oauth2', () => {
  const common = { type: 'oauth2', name: 'o', username: 'oauth2' };
  const introspection = { url: 'https://a.example/i', clientId: 'c', clientSecret: 's', audience: 'd' };
  const info = { url: 'https://a.example/u', anyClient: true };

  it.each([
    ['introspection', { introspection }],
    [
      'introspection by clients',
      { introspection: { ...introspection, audience: undefined, clients: ['a'] } },
    ],
    ['user info', { userInfo: info }],
    ['GitHub without a user name', { username: undefined, github: { clientId: 'c', clientSecretFile: 'f' } }],
  ])('take %s', (_, change) => {
    expect(oauth2VerifierOptions.safeParse({ ...common, ...change }).error).toBeUndefined();
  });

  it.each([
    ['no service', {}],
    ['two services', { introspection, userInfo: info }],
    ['introspection for anybody', { introspection: { ...introspection, audience: undefined } }],
    ['introspection without a secret', { introspection: { ...introspection, clientSecret: undefined } }],
    ['introspection with two secrets', { introspection: { ...introspection, clientSecretFile: 'f' } }],
    ['introspection in the clear', { introspection: { ...introspection, url: 'http://a.example/i' } }],
    ['introspection of every password', { username: undefined, introspection }],
    ['user info of every password', { username: undefined, userInfo: info }],
    ['user info without saying that any client does', { userInfo: { url: info.url } }],
    [
      'user info with groups from two places',
      { userInfo: { ...info, groupsClaim: 'a', groups: { url: info.url } } },
    ],
    ['GitHub without a secret', { github: { clientId: 'c' } }],
    ['a header with a line break', { userInfo: { ...info, headers: { a: 'b\r\nc: d' } } }],
  ])('refuse %s', (_, change) => {
    expect(oauth2VerifierOptions.safeParse({ ...common, ...change }).success).toBe(false);
  });
});
