import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../../../../src/proxy/identity/index.ts';
import { createOidcSite, HOUR_MS, MINUTE_MS, type OidcSite } from './support.ts';

describe('a provider', () => {
  let site: OidcSite;
  beforeEach(async () => {
    site = await createOidcSite();
  });
  afterEach(() => site.close());

  const refreshes = () => site.provider.requests.filter((request) => request === 'POST /token').length;
  const signal = new AbortController().signal;

  it('whose answer is lost has used up the refresh token: tokens count again after a sign-in, and not before', async () => {
    const { token, id, personId } = await site.tokenOf('sub-anna');
    site.advance(16 * MINUTE_MS);
    site.provider.loseNextAnswer('POST /token');
    expect(await site.verify('anna', token)).toMatchObject({ type: 'identity' });
    site.advance(MINUTE_MS);
    const outcomes = [await site.verify('anna', token), await site.verify('anna', token)];
    const identity = { verifier: 'staff', name: 'anna', groups: [], claims: {} };
    outcomes.push((await site.verifier.renew?.(identity, id, signal)) as Outcome);
    for (const outcome of outcomes) {
      expect(outcome).toEqual({ type: 'refused', reason: 'the person has to sign in again' });
    }
    expect(site.logged()).toContain('they have to sign in again');
    expect(await site.verifier.signIn.find(personId)).toBeUndefined();
    const asked = refreshes();
    expect(await site.verify('anna', token, site.another())).toMatchObject({ type: 'refused' });
    expect(refreshes()).toBe(asked);

    await site.signIn('sub-ben');
    expect(await site.verify('anna', token)).toMatchObject({ type: 'refused' });
    await site.signIn('sub-anna');
    expect(await site.verify('anna', token)).toMatchObject({ type: 'identity' });
    expect(await site.verifier.signIn.tokens.list(personId)).toHaveLength(1);
    site.advance(16 * MINUTE_MS);
    expect(await site.verify('anna', token)).toMatchObject({ type: 'identity' });
  });

  it('whose answer is lost does not bring back the tokens of somebody who is gone', async () => {
    const { token } = await site.tokenOf('sub-anna');
    site.advance(16 * MINUTE_MS);
    site.provider.loseNextAnswer('POST /token');
    await site.verify('anna', token);
    site.provider.accounts.delete('sub-anna');
    for (const minutes of [1, 16, 120]) {
      site.advance(minutes * MINUTE_MS);
      expect(await site.verify('anna', token)).toMatchObject({ type: 'refused' });
    }
  });

  it('asks to sign in again when a process died before it heard the answer', async () => {
    const { token, personId } = await site.tokenOf('sub-anna');
    site.advance(16 * MINUTE_MS);
    const record = async () => {
      const stored = await site.state.get('people', personId);
      if (!stored) throw new Error('there is no such person');
      return stored;
    };
    const verified = site.verify('anna', token, site.another());
    await site.provider.nextRequest('POST /token');
    const before = await record();
    await verified;
    // As the dead process has left it: the provider was asked, and nothing came of it.
    await site.state.replace('people', personId, before.value, before.expiresAt, (await record()).version);
    site.advance(MINUTE_MS);
    expect(await site.verify('anna', token)).toMatchObject({ reason: 'the person has to sign in again' });
    await site.signIn('sub-anna');
    expect(await site.verify('anna', token)).toMatchObject({ type: 'identity' });
  });

  it('may end a refresh token that lay idle: tokens count again after a sign-in', async () => {
    const { token } = await site.tokenOf('sub-anna');
    site.provider.endRefreshTokens();
    site.advance(24 * HOUR_MS);
    expect(await site.verify('anna', token)).toMatchObject({ reason: 'the person has to sign in again' });
    await site.signIn('sub-anna');
    expect(await site.verify('anna', token)).toMatchObject({ type: 'identity' });
  });

  it('that was down and never saw the refresh token has the last word on who is gone', async () => {
    const { token, personId } = await site.tokenOf('sub-anna');
    const fresh = site.another();
    site.provider.setDown(true);
    site.advance(16 * MINUTE_MS);
    await site.verify('anna', token, fresh);
    site.provider.setDown(false);
    site.provider.accounts.delete('sub-anna');
    site.advance(MINUTE_MS);
    expect(await site.verify('anna', token, fresh)).toMatchObject({ type: 'refused' });
    expect(await site.state.get('people', personId)).toBeUndefined();
  });
});
