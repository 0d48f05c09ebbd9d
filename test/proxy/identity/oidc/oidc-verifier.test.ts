import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../../src/core/index.ts';
import { createAuthenticator, type Verifier } from '../../../../src/proxy/identity/index.ts';
import { createLogger, createMetrics } from '../../../../src/telemetry/index.ts';
import { CLIENT_SECRET } from '../../../servers/oidc-provider.ts';
import { openLimits } from '../support/open-limits.ts';
import { describeVerifier } from '../verifier-suite.ts';
import { createOidcSite, HOUR_MS, MINUTE_MS, type OidcSite } from './support.ts';

describeVerifier('oidc', async () => {
  const site = await createOidcSite();
  const { token } = await site.tokenOf('sub-anna');
  return {
    verifier: site.verifier,
    username: 'anna',
    password: token,
    identityName: 'anna',
    unknownUsername: 'nobody',
    close: () => site.close(),
  };
});

describe('oidc', () => {
  let site: OidcSite;
  beforeEach(async () => {
    site = await createOidcSite();
  });
  afterEach(() => site.close());

  const refreshes = () => site.provider.requests.filter((request) => request === 'POST /token').length;
  const signal = new AbortController().signal;

  async function groupsOf(token: string): Promise<readonly string[]> {
    const outcome = await site.verify('anna', token);
    if (outcome.type !== 'identity') throw new Error(`${outcome.type}: ${outcome.reason}`);
    return outcome.identity.groups;
  }

  describe('tokens', () => {
    it('stand for their owner, with name, groups and subject', async () => {
      const { token, id } = await site.tokenOf('sub-anna');
      expect(token).toMatch(/^drp_[0-9a-f]{16}_[0-9a-f]{64}$/);
      const identity = {
        verifier: 'staff',
        name: 'anna',
        groups: ['platform', 'staff'],
        claims: { sub: 'sub-anna' },
      };
      expect(await site.verify('anna', token)).toEqual({ type: 'identity', identity, anchor: id });
      expect(await site.verify('token', token)).toEqual({ type: 'identity', identity, anchor: id });
    });

    it('are refused under the name of somebody else', async () => {
      const { token } = await site.tokenOf('sub-anna');
      await site.tokenOf('sub-ben');
      for (const name of ['ben', 'Anna', '', 'oauth2']) {
        expect(await site.verify(name, token)).toMatchObject({ type: 'refused' });
      }
    });

    it('are refused once they are revoked, and so is what was made with them', async () => {
      const { token, id, personId } = await site.tokenOf('sub-anna');
      const outcome = await site.verify('anna', token);
      if (outcome.type !== 'identity') throw new Error(outcome.reason);
      expect(await site.verifier.signIn.tokens.revoke(personId, id)).toBe(true);
      expect(await site.verify('anna', token)).toMatchObject({ type: 'refused' });
      expect(await site.verifier.renew?.(outcome.identity, id, signal)).toMatchObject({ type: 'refused' });
      expect(await site.verifier.signIn.tokens.revoke(personId, id)).toBe(false);
    });

    it('can be revoked by their owner alone', async () => {
      const anna = await site.tokenOf('sub-anna');
      const ben = await site.tokenOf('sub-ben');
      expect(await site.verifier.signIn.tokens.revoke(ben.personId, anna.id)).toBe(false);
      expect(await site.verify('anna', anna.token)).toMatchObject({ type: 'identity' });
    });

    it('end when their time is over', async () => {
      const { token, personId } = await site.tokenOf('sub-anna');
      site.advance(30 * 24 * HOUR_MS - MINUTE_MS);
      await site.signIn('sub-anna');
      expect(await site.verify('anna', token)).toMatchObject({ type: 'identity' });
      site.advance(MINUTE_MS);
      expect(await site.verify('anna', token)).toMatchObject({ type: 'refused' });
      expect(await site.verifier.signIn.tokens.list(personId)).toEqual([]);
    });

    it('are no good under a record of somebody else, or with a secret of another', async () => {
      const anna = await site.tokenOf('sub-anna');
      const ben = await site.tokenOf('sub-ben');
      const mixed = `${anna.token.slice(0, 20)}${ben.token.slice(20)}`;
      expect(await site.verify('anna', mixed)).toMatchObject({ type: 'refused' });
      expect(await site.verify('ben', mixed)).toMatchObject({ type: 'refused' });
    });

    it('are no good for a verifier of another name or issuer', async () => {
      const { token } = await site.tokenOf('sub-anna');
      expect(await site.verify('anna', token, site.another({ name: 'others' }))).toMatchObject({
        type: 'refused',
      });
      const elsewhere = site.another({ issuer: 'https://login.example.com' });
      expect(await site.verify('anna', token, elsewhere)).toMatchObject({ type: 'refused' });
    });

    it('are counted: fifty, and no more', async () => {
      const { personId } = await site.tokenOf('sub-anna');
      const { tokens } = site.verifier.signIn;
      const wanted = { name: 'more', lifetimeMs: HOUR_MS };
      const made = await Promise.all(Array.from({ length: 3 }, () => tokens.create(personId, wanted)));
      for (let count = 4; count < 50; count += 1) made.push(await tokens.create(personId, wanted));
      expect(new Set(made.map(({ type }) => type))).toEqual(new Set(['created']));
      expect(await tokens.create(personId, wanted)).toEqual({ type: 'too-many' });
      expect(await tokens.list(personId)).toHaveLength(50);
      site.advance(HOUR_MS);
      expect(await tokens.create(personId, wanted)).toMatchObject({ type: 'created' });
    });

    it('show when they were last used, to the minute', async () => {
      const { token, personId } = await site.tokenOf('sub-anna');
      const lastUsed = async () => (await site.verifier.signIn.tokens.list(personId))[0]?.lastUsed;
      expect(await lastUsed()).toBeUndefined();
      await site.verify('anna', `${token.slice(0, -1)}x`);
      expect(await lastUsed()).toBeUndefined();
      await site.verify('anna', token);
      const first = await lastUsed();
      expect(first).toEqual(expect.any(Number));
      site.advance(MINUTE_MS / 2);
      await site.verify('anna', token);
      expect(await lastUsed()).toBe(first);
      site.advance(MINUTE_MS / 2);
      await site.verify('anna', token);
      expect(await lastUsed()).toBeGreaterThan(first ?? 0);
    });
  });

  describe('the provider', () => {
    it('is not asked within groupsRefresh, and then once for logins at once', async () => {
      const { token } = await site.tokenOf('sub-anna');
      const before = refreshes();
      site.advance(14 * MINUTE_MS);
      await site.verify('anna', token);
      expect(refreshes()).toBe(before);
      site.advance(2 * MINUTE_MS);
      site.provider.accounts.set('sub-anna', { name: 'anna', groups: ['new'] });
      const groups = await Promise.all(Array.from({ length: 8 }, () => groupsOf(token)));
      expect(groups).toEqual(Array(8).fill(['new']));
      expect(refreshes()).toBe(before + 1);
    });

    it('is asked by one of several processes, and none loses its tokens', async () => {
      const { token } = await site.tokenOf('sub-anna');
      const others = [site.verifier, site.another(), site.another()];
      for (let round = 0; round < 3; round += 1) {
        const before = refreshes();
        site.advance(16 * MINUTE_MS);
        const outcomes = await Promise.all(others.map((verifier) => site.verify('anna', token, verifier)));
        expect(outcomes.map(({ type }) => type)).toEqual(['identity', 'identity', 'identity']);
        expect(refreshes()).toBe(before + 1);
      }
    });

    it('has the say over groups: they are replaced', async () => {
      const { token } = await site.tokenOf('sub-anna');
      site.provider.accounts.set('sub-anna', { name: 'anna', groups: ['new'] });
      expect(await groupsOf(token)).toEqual(['platform', 'staff']);
      site.advance(16 * MINUTE_MS);
      expect(await groupsOf(token)).toEqual(['new']);
      site.provider.accounts.set('sub-anna', { name: 'anna', groups: [] });
      site.advance(16 * MINUTE_MS);
      expect(await groupsOf(token)).toEqual([]);
    });

    it('says that somebody is gone: all their tokens are dead, for good', async () => {
      const anna = await site.tokenOf('sub-anna');
      const second = await site.verifier.signIn.tokens.create(anna.personId, {
        name: 'two',
        lifetimeMs: HOUR_MS,
      });
      const ben = await site.tokenOf('sub-ben');
      site.provider.accounts.delete('sub-anna');
      site.advance(16 * MINUTE_MS);
      const identity = { verifier: 'staff', name: 'anna', groups: [], claims: {} };
      expect(await site.verifier.renew?.(identity, anna.id, signal)).toMatchObject({ type: 'refused' });
      expect(await site.verify('anna', anna.token)).toMatchObject({ type: 'refused' });
      expect(await site.verifier.signIn.find(anna.personId)).toBeUndefined();
      expect(await site.verify('ben', ben.token)).toMatchObject({ type: 'identity' });

      site.provider.accounts.set('sub-anna', { name: 'anna', groups: ['platform'] });
      const again = await site.tokenOf('sub-anna');
      expect(await site.verify('anna', again.token)).toMatchObject({ type: 'identity' });
      expect(await site.verify('anna', anna.token)).toMatchObject({ type: 'refused' });
      if (second.type !== 'created') throw new Error(second.type);
      expect(await site.verify('anna', second.token.reveal())).toMatchObject({ type: 'refused' });
    });

    it('that is down leaves what was known for a while, and is not asked each time', async () => {
      const { token } = await site.tokenOf('sub-anna');
      site.provider.setDown(true);
      site.advance(16 * MINUTE_MS);
      expect(await groupsOf(token)).toEqual(['platform', 'staff']);
      const asked = site.provider.requests.length;
      expect(asked).toBeGreaterThan(0);
      expect(await groupsOf(token)).toEqual(['platform', 'staff']);
      expect(site.provider.requests.length).toBe(asked);
      site.advance(HOUR_MS);
      expect(await site.verify('anna', token)).toMatchObject({ type: 'cannot-tell' });
      site.provider.setDown(false);
      site.advance(MINUTE_MS);
      expect(await site.verify('anna', token)).toMatchObject({ type: 'identity' });
    });

    it('that was down from the start does not stop the verifier from being made', async () => {
      site.provider.setDown(true);
      const verifier = site.another();
      await expect(verifier.signIn.begin('http://127.0.0.1:9/login/callback')).rejects.toThrow();
      site.provider.setDown(false);
      const { token } = await site.tokenOf('sub-anna', verifier);
      expect(await site.verify('anna', token, verifier)).toMatchObject({ type: 'identity' });
    });

    it('may change its keys between a sign-in and the next', async () => {
      await site.tokenOf('sub-anna');
      site.provider.rotateKeys();
      const { token } = await site.tokenOf('sub-anna');
      site.provider.rotateKeys();
      site.advance(16 * MINUTE_MS);
      expect(await site.verify('anna', token)).toMatchObject({ type: 'identity' });
    });

    it('may give somebody another name: the old one is refused', async () => {
      const { token } = await site.tokenOf('sub-anna');
      site.provider.accounts.set('sub-anna', { name: 'anna-b', groups: [] });
      site.advance(16 * MINUTE_MS);
      expect(await site.verify('anna', token)).toMatchObject({ type: 'refused' });
      expect(await site.verify('anna-b', token)).toMatchObject({ type: 'identity' });
    });
  });

  it('is the only one that sees its tokens', async () => {
    const { token } = await site.tokenOf('sub-anna');
    const seen: string[] = [];
    const directory: Verifier = {
      name: 'directory',
      verify: async ({ username }) => {
        seen.push(username);
        return { type: 'refused', reason: 'wrong password' };
      },
      close: async () => undefined,
    };
    const authenticator = createAuthenticator({ anonymous: false }, [directory, site.verifier], {
      log: createLogger('silent'),
      metrics: createMetrics(),
      limits: openLimits,
    });
    const login = (username: string, password: string) =>
      authenticator.authenticate(
        { username, password: new Secret(password) },
        { address: '127.0.0.1', signal },
      );
    expect(await login('anna', token)).toMatchObject({ type: 'identity' });
    expect(await login('ben', token)).toMatchObject({ type: 'refused' });
    expect(seen).toEqual([]);
    expect(await login('anna', `${token}x`)).toMatchObject({ type: 'refused' });
    expect(seen).toEqual(['anna']);
  });

  it('ends a refresh before it closes, because the refresh token is spent by then', async () => {
    const { token } = await site.tokenOf('sub-anna');
    const closing = site.another();
    site.advance(16 * MINUTE_MS);
    const verified = site.verify('anna', token, closing);
    await site.provider.nextRequest('POST /token');
    await closing.close();
    expect(await verified).toMatchObject({ type: 'cannot-tell' });
    const before = refreshes();
    expect(await site.verify('anna', token)).toMatchObject({ type: 'identity' });
    expect(refreshes()).toBe(before);
  });

  it('lets only people of the allowed groups in', async () => {
    const verifier = site.another({ name: 'platform', allowedGroups: ['platform'] });
    expect(await site.signIn('sub-ben', verifier)).toMatchObject({ type: 'refused', advice: 'not-allowed' });
    const { token } = await site.tokenOf('sub-anna', verifier);
    site.provider.accounts.set('sub-anna', { name: 'anna', groups: ['staff'] });
    site.advance(16 * MINUTE_MS);
    expect(await site.verify('anna', token, verifier)).toMatchObject({ type: 'refused' });
  });

  it('refuses a sign-in without a refresh token, because nobody could say later that the person is gone', async () => {
    const verifier = site.another({ name: 'short', authorizationParameters: {} });
    expect(await site.signIn('sub-anna', verifier)).toMatchObject({
      type: 'refused',
      advice: 'no-refresh-token',
    });
  });

  it.each(['state', 'nonce', 'codeVerifier'] as const)('refuses an answer for another %s', async (part) => {
    const { createWebClient, signInAtProvider } = await import('../../../support/web-client.ts');
    const { REDIRECT_URI } = await import('./support.ts');
    const { url, checks } = await site.verifier.signIn.begin(REDIRECT_URI);
    const callback = await signInAtProvider(createWebClient(), url, 'sub-anna', ({ href }) =>
      href.startsWith(REDIRECT_URI),
    );
    const other = (await site.verifier.signIn.begin(REDIRECT_URI)).checks;
    const outcome = await site.verifier.signIn.complete(callback, { ...checks, [part]: other[part] });
    expect(outcome).toMatchObject({ type: 'refused', advice: 'try-again' });
  });

  it('refuses an ID token that the key of the provider has not signed', async () => {
    site.provider.showForeignKey();
    expect(await site.signIn('sub-anna')).toMatchObject({ type: 'refused', advice: 'try-again' });
    expect(site.provider.requests).toContain('GET /jwks');
  });

  it('opens what an earlier key has sealed while that key is kept, and asks to sign in again after', async () => {
    const { token } = await site.tokenOf('sub-anna');
    site.advance(16 * MINUTE_MS);
    const without = site.another({}, ['second']);
    expect(await site.verify('anna', token, without)).toMatchObject({ type: 'refused' });
    site.advance(MINUTE_MS);
    const both = site.another({}, ['second', 'first']);
    expect(await site.verify('anna', token, both)).toMatchObject({ type: 'identity' });
    site.advance(16 * MINUTE_MS);
    expect(await site.verify('anna', token, without)).toMatchObject({ type: 'identity' });
  });

  it('keeps no secret on the disk and in the log', async () => {
    const { token } = await site.tokenOf('sub-anna');
    site.advance(16 * MINUTE_MS);
    await site.verify('anna', token);
    site.provider.setDown(true);
    site.advance(16 * MINUTE_MS);
    await site.verify('anna', token);
    const secret = token.slice(21);
    expect(site.logged()).not.toContain(secret);
    expect(site.logged()).not.toContain(CLIENT_SECRET);
    const files = await readdir(site.folder);
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const bytes = await readFile(join(site.folder, file));
      expect(bytes.includes(secret)).toBe(false);
      for (const shown of site.provider.refreshTokens) expect(bytes.includes(shown)).toBe(false);
    }
    expect(site.provider.refreshTokens.length).toBeGreaterThan(0);
  });
});
