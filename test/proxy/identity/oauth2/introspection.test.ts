import { describe, expect, it } from 'vitest';
import { createStillClock } from '../support/still-clock.ts';
import { describeVerifier } from '../verifier-suite.ts';
import { CLIENT, introspected, SECRET, startIntrospection } from './services.ts';
import { type OAuth2Input, oauth2VerifierOf } from './support.ts';

type IntrospectionInput = Partial<NonNullable<OAuth2Input['introspection']>>;

async function setUp(input: IntrospectionInput = {}, rest: OAuth2Input = {}) {
  const clock = createStillClock();
  const service = await startIntrospection(clock.now());
  const introspection = {
    url: `${service.server.url}/introspect`,
    clientId: CLIENT,
    clientSecret: SECRET,
    audience: 'docker.example.com',
    ...input,
  };
  return { service, ...oauth2VerifierOf({ introspection, ...rest }, { clock }) };
}

describeVerifier('oauth2 by introspection', async () => {
  const { service, verifier } = await setUp();
  return {
    verifier,
    username: 'oauth2',
    password: service.token,
    identityName: 'user-1',
    unknownUsername: undefined,
  };
});

describe('a token that is introspected', () => {
  it('names the user by the configured fields', async () => {
    const { service, verify } = await setUp(
      { nameClaim: 'username', groupsClaim: 'groups', clients: ['app-1'], scopes: ['pull'] },
      { claims: ['client_id'] },
    );
    expect(await verify(service.token)).toEqual({
      type: 'identity',
      identity: { verifier: 'people', name: 'anna', groups: ['staff'], claims: { client_id: 'app-1' } },
    });
    const body = new URLSearchParams(service.server.received[0]?.body);
    expect(body.get('token_type_hint')).toBe('access_token');
  });

  it.each([
    ['that is not active', { active: false }],
    ['whose activity is a text', { active: 'true' }],
    ['for another audience', { aud: 'other' }],
    ['for no audience', { aud: undefined }],
    ['that has expired', { exp: 1 }],
    ['with an end of text', { exp: '99999999999' }],
    ['that begins later', { nbf: 99_999_999_999 }],
    ['of another type', { token_type: 'DPoP' }],
    ['that is a refresh token', { token_use: 'refresh_token' }],
    ['that is bound to a key', { cnf: { jkt: 'a' } }],
    ['of nobody', { sub: undefined }],
    ['with groups that are none', { groups: [1] }],
    ['made for another client', { client_id: 'app-2' }],
    ['made for no client', { client_id: undefined }],
    ['without the scope', { scope: 'read pulling' }],
    ['with scopes that are no text', { scope: ['pull'] }],
  ])('%s is refused', async (_, change) => {
    const { service, verify, clock } = await setUp({
      groupsClaim: 'groups',
      clients: ['app-1'],
      scopes: ['pull'],
    });
    const body = introspected(clock.now());
    service.interfere(() => ({ status: 200, body: { ...body, ...change } }));
    expect(await verify(service.token)).toMatchObject({ type: 'refused' });
    service.interfere(() => undefined);
    expect(await verify(service.token)).toMatchObject({ type: 'identity' });
  });

  it('is remembered for a minute, and not beyond its end', async () => {
    const { service, verify, clock } = await setUp();
    await Promise.all([verify(service.token), verify(service.token)]);
    clock.advance(59_999);
    await verify(service.token);
    expect(service.server.received).toHaveLength(1);
    clock.advance(1);
    const soon = { ...introspected(clock.now()), exp: clock.now() / 1000 + 5 };
    service.interfere(() => ({ status: 200, body: soon }));
    await verify(service.token);
    clock.advance(5_000);
    expect(await verify(service.token)).toMatchObject({ type: 'refused' });
    expect(service.server.received).toHaveLength(3);
  });

  it.each([
    ['an error', { status: 500 }],
    ['too many requests', { status: 429 }],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }],
    ['no JSON', { status: 200, body: 'canary' }],
    ['a list', { status: 200, body: [] }],
    ['a flood', { status: 200, body: 'x'.repeat(2_000_000) }],
    ['another client than ours', { status: 401 }],
  ])('is left open by %s', async (_, answer) => {
    const { service, verify } = await setUp();
    service.interfere(() => answer);
    const outcome = await verify(service.token);
    expect(outcome).toMatchObject({ type: 'cannot-tell' });
    expect(`${outcome.type === 'cannot-tell' && outcome.cause}`).not.toContain('canary');
    service.interfere(() => undefined);
    expect(await verify(service.token)).toMatchObject({ type: 'identity' });
  });

  it('is left open by a wrong secret, and by a service that is down', async () => {
    const { service, verify } = await setUp({ clientSecret: 'wrong' });
    expect(await verify(service.token)).toMatchObject({ type: 'cannot-tell' });
    await service.server.stop();
    expect(await verify(service.token)).toMatchObject({ type: 'cannot-tell' });
  });

  it.each(['', 'a b', 'a\r\nb', 'ü', 'a"b', 'x'.repeat(5000)])(
    'is not %j, and that is sent nowhere',
    async (text) => {
      const { service, verify } = await setUp();
      expect(await verify(text)).toMatchObject({ type: 'refused' });
      expect(service.server.received).toEqual([]);
    },
  );
});
