import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLIENT_SECRET } from '../../servers/oidc-provider.ts';
import { createWebClient, type WebClient } from '../../support/web-client.ts';
import { basic } from '../support/running-proxy.ts';
import { callbackOf, createWebSite, formTokenOf, shownToken, type WebSite } from './support.ts';

describe('sign-in and token pages', () => {
  let site: WebSite;
  beforeAll(async () => {
    site = await createWebSite();
  });
  afterAll(() => site.close());

  const tokenEndpoint = async (name: string, token: string, more = '') =>
    fetch(`${site.url}/token?service=${site.service}&scope=repository:hello:pull${more}`, {
      headers: basic(name, token),
    });

  async function makeToken(client: WebClient, formToken: string, name = 'laptop'): Promise<string> {
    const form = { 'form-token': formToken, name, days: '30' };
    const response = await client.send(`${site.url}/account/tokens`, { form });
    expect(response.status).toBe(200);
    return shownToken(await response.text());
  }

  const tokenIds = (page: string) =>
    [...page.matchAll(/name="id" value="([0-9a-f]+)"/g)].map(([, id = '']) => id);
  const accountOf = async (client: WebClient) => (await client.send(`${site.url}/account`)).text();
  const sessionOf = (client: WebClient) => client.cookies.get(site.url)?.get('drp-session');

  it('lead from the top to the provider and back to the tokens', async () => {
    const client = createWebClient();
    const { url, response } = await client.follow(site.url);
    expect(`${url.pathname}${url.search}`).toBe('/login?to=%2Faccount');
    expect(await response?.text()).toContain('/login/start?provider=staff&amp;to=%2Faccount');
    const { page } = await site.signIn('sub-anna', '/account', client);
    expect(page).toContain('<h1>Personal access tokens</h1>');
    expect(page).toContain('Signed in as <strong>anna</strong>');
  });

  it('escape what others have named', async () => {
    const page = await (await fetch(`${site.url}/login`)).text();
    expect(page).toContain('Sign in with Acme &lt;SSO&gt;');
    const { client, formToken } = await site.signIn('sub-anna');
    await makeToken(client, formToken, `<b>"'&x`);
    expect(await accountOf(client)).toContain('<th scope="row">&lt;b&gt;&quot;&#39;&amp;x</th>');
  });

  it('make a token that docker logs in with, once shown and listed with its use, until it is revoked', async () => {
    const { client, formToken } = await site.signIn('sub-ben');
    const form = { 'form-token': formToken, name: 'build box', days: '7' };
    const made = await (await client.send(`${site.url}/account/tokens`, { form })).text();
    const token = shownToken(made);
    expect(made).toContain(`docker login ${site.service} -u ben --password-stdin`);
    expect(await accountOf(client)).not.toContain(token);
    expect(await accountOf(client)).toContain('<td data-label="Last used">never</td>');

    const answer = await tokenEndpoint('ben', token, '&offline_token=true');
    expect(answer.status).toBe(200);
    const { refresh_token: refreshToken } = (await answer.json()) as { refresh_token: string };
    expect(await accountOf(client)).not.toContain('<td data-label="Last used">never</td>');
    const refresh = () =>
      fetch(`${site.url}/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'refresh_token',
          refresh_token: refreshToken,
          service: site.service,
        }),
      });
    expect((await refresh()).status).toBe(200);

    const [id = ''] = tokenIds(await accountOf(client));
    const revoked = await client.follow(`${site.url}/account/tokens/revoke`, {
      form: { 'form-token': formToken, id },
    });
    expect(await revoked.response?.text()).toContain('The token is revoked.');
    expect((await tokenEndpoint('ben', token)).status).toBe(401);
    expect((await refresh()).status).toBe(401);
  });

  it('revoke no token of somebody else', async () => {
    const anna = await site.signIn('sub-anna');
    const token = await makeToken(anna.client, anna.formToken);
    const [id = ''] = tokenIds(await accountOf(anna.client));
    const ben = await site.signIn('sub-ben');
    await ben.client.send(`${site.url}/account/tokens/revoke`, { form: { 'form-token': ben.formToken, id } });
    expect((await tokenEndpoint('anna', token)).status).toBe(200);
  });

  it.each([
    ['no name', { name: ' ', days: '30' }],
    ['a name that is too long', { name: 'x'.repeat(61), days: '30' }],
    ['a control character in the name', { name: 'a\u0007b', days: '30' }],
    ['a lifetime that is not offered', { name: 'a', days: '9999' }],
    ['no lifetime', { name: 'a', days: '' }],
  ])('say what is wrong with %s', async (_, fields) => {
    const { client, formToken } = await site.signIn('sub-anna');
    const before = tokenIds(await accountOf(client));
    const response = await client.send(`${site.url}/account/tokens`, {
      form: { 'form-token': formToken, ...fields },
    });
    expect(response.status).toBe(422);
    expect(await response.text()).toContain('role="alert"');
    expect(tokenIds(await accountOf(client))).toEqual(before);
  });

  it('sign out', async () => {
    const { client, formToken } = await site.signIn('sub-anna');
    const { response } = await client.follow(`${site.url}/logout`, { form: { 'form-token': formToken } });
    expect(await response?.text()).toContain('You are signed out here.');
    expect(sessionOf(client)).toBeUndefined();
    const account = await client.send(`${site.url}/account`);
    expect(account.headers.get('location')).toBe('/login?to=%2Faccount');
  });

  describe('forms of others', () => {
    it.each([
      ['without the form token', {}, {}],
      ['with a wrong form token', { 'form-token': 'x'.repeat(32) }, {}],
      ['from another site', undefined, { 'sec-fetch-site': 'cross-site' }],
      ['from a sister site', undefined, { 'sec-fetch-site': 'same-site' }],
      ['from another origin', undefined, { origin: 'https://evil.example' }],
      ['from an origin that is kept secret', undefined, { origin: 'null' }],
    ])('are refused: %s', async (_, fields, headers) => {
      const { client, formToken } = await site.signIn('sub-anna');
      const before = tokenIds(await accountOf(client));
      const form = {
        name: 'evil',
        days: '30',
        id: before[0] ?? '',
        ...(fields ?? { 'form-token': formToken }),
      };
      for (const path of ['/account/tokens', '/account/tokens/revoke', '/logout']) {
        const response = await client.send(`${site.url}${path}`, { form, headers });
        expect([path, response.status]).toEqual([path, 403]);
      }
      expect(tokenIds(await accountOf(client))).toEqual(before);
    });

    it('are refused with the form token of another session', async () => {
      const other = await site.signIn('sub-ben');
      const { client } = await site.signIn('sub-anna');
      const form = { 'form-token': other.formToken, name: 'evil', days: '30' };
      expect((await client.send(`${site.url}/account/tokens`, { form })).status).toBe(403);
    });

    it('do nothing without a session', async () => {
      for (const path of ['/account/tokens', '/account/tokens/revoke', '/logout']) {
        const response = await createWebClient().send(`${site.url}${path}`, {
          form: { name: 'evil', days: '30' },
        });
        expect([path, response.status, response.headers.get('location')]).toEqual([path, 303, '/login']);
      }
    });
  });

  describe('the way back from the provider', () => {
    it('is taken once', async () => {
      const client = createWebClient();
      const callback = await callbackOf(site.url, client, 'sub-anna');
      const cookies = new Map(client.cookies.get(site.url));
      expect((await client.send(callback)).status).toBe(303);
      client.cookies.set(site.url, cookies);
      const replayed = await client.send(callback);
      expect(replayed.status).toBe(400);
      expect(sessionOf(client)).toBeUndefined();
    });

    it('is refused in a browser that did not begin it', async () => {
      const callback = await callbackOf(site.url, createWebClient(), 'sub-anna');
      const victim = createWebClient();
      expect((await victim.send(callback)).status).toBe(400);
      expect(sessionOf(victim)).toBeUndefined();
    });

    it('is refused with the answer to another sign-in', async () => {
      const callback = await callbackOf(site.url, createWebClient(), 'sub-anna');
      const victim = createWebClient();
      await callbackOf(site.url, victim, 'sub-ben');
      expect((await victim.send(callback)).status).toBe(400);
      expect(sessionOf(victim)).toBeUndefined();
    });

    it('is refused with a code of another sign-in', async () => {
      const foreign = await callbackOf(site.url, createWebClient(), 'sub-anna');
      const victim = createWebClient();
      const callback = await callbackOf(site.url, victim, 'sub-ben');
      callback.searchParams.set('code', foreign.searchParams.get('code') ?? '');
      expect((await victim.send(callback)).status).toBe(403);
      expect(sessionOf(victim)).toBeUndefined();
    });

    it('is refused with a cookie that was changed, or is for something else', async () => {
      const client = createWebClient();
      const callback = await callbackOf(site.url, client, 'sub-anna');
      const jar = client.cookies.get(site.url);
      const sealed = jar?.get('drp-sign-in') ?? '';
      const signedIn = sessionOf((await site.signIn('sub-anna')).client) ?? '';
      const changed = `${sealed.startsWith('A') ? 'B' : 'A'}${sealed.slice(1)}`;
      for (const value of [changed, sealed.slice(0, -2), '', 'x', signedIn]) {
        jar?.set('drp-sign-in', value);
        expect((await client.send(callback)).status).toBe(400);
      }
      expect(sessionOf(client)).toBeUndefined();
    });

    it('begins a new session, whatever cookie was there before', async () => {
      const attacker = await site.signIn('sub-ben');
      const client = createWebClient();
      client.cookies.set(site.url, new Map([['drp-session', sessionOf(attacker.client) ?? '']]));
      const { page, formToken } = await site.signIn('sub-anna', '/account', client);
      expect(page).toContain('Signed in as <strong>anna</strong>');
      expect(sessionOf(client)).not.toBe(sessionOf(attacker.client));
      expect(formToken).not.toBe(attacker.formToken);
    });

    it.each([
      '//evil.example',
      '/\\evil.example',
      'https://evil.example',
      '/\t/evil.example',
      '/%0d%0aevil',
      'account',
      '///evil',
      '\\\\evil',
      'javascript:alert(1)',
    ])('leads nowhere else: %j', async (to) => {
      const client = createWebClient();
      const callback = await callbackOf(site.url, client, 'sub-anna', to);
      const location = (await client.send(callback)).headers.get('location') ?? '';
      expect(new URL(location, site.url).origin).toBe(site.url);
      expect(location).toMatch(/^\/(?![/\\])/);
    });
  });

  it('take no session that was made up, changed or doubled', async () => {
    const { client } = await site.signIn('sub-anna');
    const good = sessionOf(client) ?? '';
    const asked = (cookie: string) =>
      fetch(`${site.url}/account`, { redirect: 'manual', headers: { cookie } });
    expect((await asked(`drp-session=${good}`)).status).toBe(200);
    for (const cookie of [
      `drp-session=A${good.slice(1)}`,
      `drp-session=${good}; drp-session=${good}`,
      'drp-session=',
      'drp-session=e30',
      `drp-sign-in=${good}`,
    ]) {
      expect((await asked(cookie)).status).toBe(303);
    }
  });

  it('set cookies that no script reads and no other site sends', async () => {
    const client = createWebClient();
    const start = await client.send(`${site.url}/login/start?provider=staff`);
    expect(start.headers.getSetCookie()[0]).toMatch(
      /^drp-sign-in=[^;]+; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/,
    );
    const callback = await callbackOf(site.url, client, 'sub-anna');
    const back = (await client.send(callback)).headers.getSetCookie();
    expect(back[0]).toMatch(/^drp-sign-in=; Path=\/; Max-Age=0; HttpOnly; SameSite=Lax$/);
    expect(back[1]).toMatch(/^drp-session=[^;]+; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/);
  });

  it('have a strict policy each, and are kept by nobody', async () => {
    const { client, formToken } = await site.signIn('sub-anna');
    const form = { 'form-token': formToken, name: 'p', days: '30' };
    const pages: [string, Response][] = [
      ['/login', await fetch(`${site.url}/login`)],
      ['/login?signed-out', await fetch(`${site.url}/login?signed-out`)],
      ['/login/callback', await fetch(`${site.url}/login/callback`)],
      ['/account', await client.send(`${site.url}/account`)],
      ['POST /account/tokens', await client.send(`${site.url}/account/tokens`, { form })],
      [
        'POST /account/tokens, wrong',
        await client.send(`${site.url}/account/tokens`, { form: { ...form, name: '' } }),
      ],
      ['POST /logout, wrong', await client.send(`${site.url}/logout`, { form: {} })],
      ['DELETE /account', await fetch(`${site.url}/account`, { method: 'DELETE' })],
    ];
    for (const [name, { headers }] of pages) {
      const policy = headers.get('content-security-policy') ?? '';
      expect([name, policy]).toEqual([
        name,
        expect.stringMatching(
          /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
        ),
      ]);
      expect([name, headers.get('cache-control')]).toEqual([name, 'no-store']);
      expect([name, headers.get('referrer-policy')]).toEqual([name, 'same-origin']);
      expect([name, headers.get('x-content-type-options')]).toEqual([name, 'nosniff']);
    }
    for (const [name, response] of pages)
      expect([name, await response.text()]).toEqual([
        name,
        expect.not.stringMatching(/<script|\son\w+=|\sstyle=/i),
      ]);
  });

  it('answer other methods with 405, and HEAD without a body', async () => {
    expect(
      (await fetch(`${site.url}/login`, { method: 'POST', body: new URLSearchParams() })).headers.get(
        'allow',
      ),
    ).toBe('GET');
    expect((await fetch(`${site.url}/logout`)).status).toBe(405);
    const head = await fetch(`${site.url}/login`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('say that the provider is out of reach, and go on when it is back', async () => {
    const other = await createWebSite();
    other.provider.setDown(true);
    expect((await fetch(`${other.url}/v2/`)).status).toBe(401);
    const response = await createWebClient().send(`${other.url}/login/start?provider=staff`);
    expect(response.status).toBe(503);
    expect(await response.text()).toContain('The provider is out of reach');
    other.provider.setDown(false);
    expect((await other.signIn('sub-anna')).page).toContain('Personal access tokens');
    await other.close();
  });

  it('are for people in the allowed groups alone', async () => {
    const other = await createWebSite({}, { allowedGroups: ['platform'] });
    expect((await other.signIn('sub-ben')).page).toContain('You may not sign in here');
    expect((await other.signIn('sub-anna')).page).toContain('Personal access tokens');
    expect(other.logged()).toContain('the person is in none of the allowed groups');
    await other.close();
  });

  it('are named after the public URL, with cookies for https alone', async () => {
    const other = await createWebSite({
      server: {
        address: '127.0.0.1:0',
        adminAddress: '127.0.0.1:0',
        publicUrl: 'https://docker.example.com',
      },
    });
    const client = createWebClient();
    const start = await client.send(`${other.url}/login/start?provider=staff`);
    expect(new URL(start.headers.get('location') ?? '').searchParams.get('redirect_uri')).toBe(
      'https://docker.example.com/login/callback',
    );
    expect(start.headers.getSetCookie()[0]).toMatch(
      /^__Host-drp-sign-in=.*; Path=\/; .*HttpOnly; SameSite=Lax; Secure$/,
    );
    await other.close();
  });

  it('leave no secret in the log', async () => {
    const { client, formToken } = await site.signIn('sub-anna');
    const token = await makeToken(client, formToken);
    await tokenEndpoint('anna', token);
    await tokenEndpoint('ben', token);
    const logged = site.logged();
    expect(logged).toContain('"action":"login"');
    expect(logged).toContain('a personal access token was made');
    for (const secret of [
      token,
      token.slice(21),
      CLIENT_SECRET,
      sessionOf(client) ?? '-',
      formToken,
      ...site.provider.refreshTokens,
    ]) {
      expect(logged).not.toContain(secret);
    }
    expect(formTokenOf('')).toBe('');
  });
});
