import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWebClient } from '../../support/web-client.ts';
import { basic } from '../support/running-proxy.ts';
import { createWebSite, formTokenOf, type SignedInClient, type WebSite } from './support.ts';

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:device_code';

interface Begun {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri: string;
  readonly verification_uri_complete: string;
  readonly expires_in: number;
  readonly interval: number;
}

describe('the device flow', () => {
  let site: WebSite;
  let anna: SignedInClient;
  beforeAll(async () => {
    site = await createWebSite();
    anna = await site.signIn('sub-anna');
  });
  afterAll(() => site.close());

  const post = (path: string, form: Record<string, string>) =>
    fetch(`${site.url}${path}`, { method: 'POST', body: new URLSearchParams(form) });
  const begin = async (name = 'box') =>
    (await (await post('/device/code', { device_name: name })).json()) as Begun;
  const poll = async (deviceCode: string) => {
    const response = await post('/device/token', { grant_type: GRANT_TYPE, device_code: deviceCode });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const send = (path: string, form: Record<string, string>, { client, formToken } = anna) =>
    client.send(`${site.url}${path}`, { form: { 'form-token': formToken, ...form } });

  it('is described at a well-known place', async () => {
    const answer = await (await fetch(`${site.url}/.well-known/drp`)).json();
    expect(answer).toEqual({
      issuer: site.url,
      device_authorization_endpoint: `${site.url}/device/code`,
      token_endpoint: `${site.url}/device/token`,
      grant_types_supported: [GRANT_TYPE],
    });
  });

  it('gives a terminal a token when somebody lets it in, once', async () => {
    const begun = await begin('drp login on box <1>');
    expect(begun).toMatchObject({ expires_in: 600, interval: 5, verification_uri: `${site.url}/device` });
    expect(begun.user_code).toMatch(/^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$/);
    expect(begun.verification_uri_complete).toBe(`${site.url}/device?user_code=${begun.user_code}`);
    expect(await poll(begun.device_code)).toEqual({ status: 400, body: { error: 'authorization_pending' } });

    const typed = ` ${begun.user_code.replace('-', '').toLowerCase()} `;
    const confirm = await (await send('/device', { user_code: typed })).text();
    expect(confirm).toContain('drp login on box &lt;1&gt;');
    expect(confirm).toContain(begun.user_code);
    const done = await send('/device/confirm', { user_code: begun.user_code, decision: 'approve' });
    expect(await done.text()).toContain('The terminal is logged in');

    const { status, body } = await poll(begun.device_code);
    expect(status).toBe(200);
    expect(body).toMatchObject({ token_type: 'Bearer', username: 'anna' });
    const headers = basic('anna', String(body.access_token));
    expect((await fetch(`${site.url}/token?service=${site.service}`, { headers })).status).toBe(200);
    expect(await (await anna.client.send(`${site.url}/account`)).text()).toContain(
      'drp login on box &lt;1&gt;',
    );
    expect(await poll(begun.device_code)).toMatchObject({ body: { error: 'expired_token' } });
    expect(site.logged()).not.toContain(begun.device_code);
    expect(site.logged()).not.toContain(String(body.access_token));
  });

  it('gives one token for two polls at once', async () => {
    const begun = await begin();
    await send('/device/confirm', { user_code: begun.user_code, decision: 'approve' });
    const answers = await Promise.all([
      poll(begun.device_code),
      poll(begun.device_code),
      poll(begun.device_code),
    ]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('turns a terminal away', async () => {
    const begun = await begin();
    const done = await send('/device/confirm', { user_code: begun.user_code, decision: 'deny' });
    expect(await done.text()).toContain('The terminal was turned away');
    expect(await poll(begun.device_code)).toEqual({ status: 400, body: { error: 'access_denied' } });
  });

  it('is decided once', async () => {
    const begun = await begin();
    await send('/device/confirm', { user_code: begun.user_code, decision: 'deny' });
    expect((await send('/device/confirm', { user_code: begun.user_code, decision: 'approve' })).status).toBe(
      422,
    );
    expect(await poll(begun.device_code)).toMatchObject({ body: { error: 'access_denied' } });
  });

  it('tells a terminal that polls too often to slow down', async () => {
    const { device_code: code } = await begin();
    expect(await poll(code)).toMatchObject({ body: { error: 'authorization_pending' } });
    expect(await poll(code)).toEqual({ status: 400, body: { error: 'slow_down' } });
  });

  it('takes no other grant and no other code', async () => {
    expect(await (await post('/device/token', { grant_type: 'password' })).json()).toEqual({
      error: 'unsupported_grant_type',
    });
    const { user_code: userCode } = await begin();
    for (const code of ['', 'x', userCode])
      expect(await poll(code)).toMatchObject({ body: { error: 'expired_token' } });
  });

  it('asks for a sign-in first, and comes back with the code', async () => {
    const { verification_uri_complete: uri, user_code: userCode } = await begin();
    const client = createWebClient();
    const { url } = await client.follow(uri);
    expect(url.searchParams.get('to')).toBe(`/device?user_code=${userCode}`);
    const { page } = await site.signIn('sub-ben', url.searchParams.get('to') ?? '', client);
    expect(page).toContain(`value="${userCode}"`);
    expect(formTokenOf(page)).not.toBe('');
  });

  it('is decided by a form of the session alone', async () => {
    const begun = await begin();
    const form = { user_code: begun.user_code, decision: 'approve' };
    const bare = await anna.client.send(`${site.url}/device/confirm`, { form });
    expect(bare.status).toBe(403);
    const foreign = await anna.client.send(`${site.url}/device/confirm`, {
      form: { ...form, 'form-token': anna.formToken },
      headers: { 'sec-fetch-site': 'cross-site' },
    });
    expect(foreign.status).toBe(403);
    // A link alone lets nobody in.
    await anna.client.send(`${site.url}/device/confirm?${new URLSearchParams(form)}`);
    expect(await poll(begun.device_code)).toMatchObject({ body: { error: 'authorization_pending' } });
  });

  it('lets nobody try many codes', async () => {
    const ben = await site.signIn('sub-ben');
    const { user_code: userCode } = await begin();
    const statuses: number[] = [];
    for (let count = 0; count < 11; count += 1) {
      statuses.push((await send('/device', { user_code: 'BBBB-BBBB' }, ben)).status);
    }
    expect(statuses).toEqual([...Array(10).fill(422), 429]);
    expect((await send('/device', { user_code: userCode }, ben)).status).toBe(429);
    expect((await send('/device/confirm', { user_code: userCode, decision: 'approve' }, ben)).status).toBe(
      429,
    );
    expect((await send('/device', { user_code: userCode })).status).toBe(200);
  });

  it('gives an address a number of codes, and then no more for a while', async () => {
    const other = await createWebSite();
    const statuses: number[] = [];
    for (let count = 0; count < 31; count += 1) {
      const response = await fetch(`${other.url}/device/code`, {
        method: 'POST',
        body: new URLSearchParams(),
      });
      statuses.push(response.status);
    }
    expect(statuses).toEqual([...Array(30).fill(200), 429]);
    await other.close();
  });
});
