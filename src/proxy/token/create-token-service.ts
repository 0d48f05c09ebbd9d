import * as crypto from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Clock, Secret } from '../../core/index.ts';
import type { Scope } from '../../oci/index.ts';
import type { StateStore } from '../../state/index.ts';
import type { Logger } from '../../telemetry/index.ts';
import {
  type Authenticator,
  anonymousIdentity,
  type Identity,
  isAnonymous,
  type LoginOutcome,
} from '../identity/index.ts';
import type { Policy } from '../policy/index.ts';
import { type AccessClaims, ISSUER, identityOf, identitySize } from './access-claims.ts';
import { MAXIMUM_TOKEN_LENGTH, signAccessToken, verifyAccessToken } from './access-token.ts';
import { createBearer } from './bearer.ts';
import { grantScopes } from './grants.ts';
import type { TokenOptions } from './options.ts';
import { createRefreshTokens, type OpenedRefresh, type RefreshRefusal } from './refresh-tokens.ts';
import { publicKeySet, type SigningKeys } from './signing-keys.ts';
import type { Bearer, TokenOutcome, TokenRequest, TokenService } from './token-service.ts';

export interface TokenServiceDependencies {
  readonly authenticator: Authenticator;
  readonly policy: Policy;
  readonly state: StateStore;
  readonly keys: SigningKeys;
  readonly clock: Clock;
  readonly log: Logger;
  readonly randomBytes?: (size: number) => Buffer;
}

/** Checked tokens that are kept. */
const REMEMBERED_TOKENS = 10_000;

/** With more groups and claims than this a token would not fit into a header. */
const MAXIMUM_IDENTITY_BYTES = 4096;
const JTI_BYTES = 16;

/** Who was recognised, and how. */
type Recognition =
  | { readonly type: 'login'; readonly identity: Identity; readonly anchor: string | undefined }
  | Extract<LoginOutcome, { type: 'limited' }>
  | OpenedRefresh
  | RefreshRefusal;

type AccessToken = {
  readonly token: string;
  readonly issuedAtSeconds: number;
  readonly scopes: readonly Scope[];
};

/** Issues and checks tokens. It owns none of what it is given, so there is nothing to close. */
export function createTokenService(
  options: TokenOptions,
  dependencies: TokenServiceDependencies,
): TokenService {
  const { authenticator, policy, state, keys, clock, log, randomBytes = crypto.randomBytes } = dependencies;
  const lifetimeSeconds = Math.floor(options.lifetime / 1000);
  const bearers = new LRUCache<string, Bearer>({ max: REMEMBERED_TOKENS });
  const refreshTokens = createRefreshTokens(
    { lifetimeMs: options.refreshLifetime },
    { authenticator, state, clock, randomBytes, log },
  );

  async function recognise({ grant, service, client, signal }: TokenRequest): Promise<Recognition> {
    switch (grant.type) {
      case 'anonymous':
        return authenticator.anonymous
          ? { type: 'login', identity: anonymousIdentity, anchor: undefined }
          : { type: 'refused', reason: 'a login is needed' };
      case 'password': {
        const outcome = await authenticator.authenticate(grant.credential, { address: client, signal });
        if (outcome.type !== 'identity') return outcome;
        return { type: 'login', identity: outcome.identity, anchor: outcome.anchor };
      }
      case 'certificate': {
        const outcome = await authenticator.authenticateCertificate(grant.certificate, signal);
        if (outcome.type !== 'identity') return outcome;
        return { type: 'login', identity: outcome.identity, anchor: outcome.anchor };
      }
      case 'refresh':
        return refreshTokens.open(grant.refreshToken, service, signal);
    }
  }

  async function signFor(identity: Identity, request: TokenRequest): Promise<AccessToken | undefined> {
    if (identitySize(identity) > MAXIMUM_IDENTITY_BYTES) return undefined;
    const scopes = grantScopes(request.scopes, identity, policy);
    const issuedAtSeconds = Math.floor(clock.now() / 1000);
    const claims: AccessClaims = {
      iss: ISSUER,
      aud: request.service,
      sub: identity.name,
      iat: issuedAtSeconds,
      nbf: issuedAtSeconds,
      exp: issuedAtSeconds + lifetimeSeconds,
      jti: randomBytes(JTI_BYTES).toString('base64url'),
      verifier: identity.verifier,
      groups: [...identity.groups],
      claims: { ...identity.claims },
      access: scopes.map(({ type, name, actions }) => ({ type, name, actions: [...actions] })),
    };
    const token = await signAccessToken(claims, keys);
    return token.length > MAXIMUM_TOKEN_LENGTH ? undefined : { token, issuedAtSeconds, scopes };
  }

  async function refreshTokenFor(
    recognised: Extract<Recognition, { type: 'login' | 'opened' }>,
    { refresh, service }: TokenRequest,
  ): Promise<Secret | undefined | RefreshRefusal> {
    if (recognised.type === 'opened') {
      return refresh === 'rotating' ? refreshTokens.rotate(recognised) : undefined;
    }
    const { identity, anchor } = recognised;
    const isPossible =
      options.refreshLifetime > 0 && !isAnonymous(identity) && authenticator.canRenew(identity);
    return refresh !== 'none' && isPossible
      ? refreshTokens.create(refresh, service, identity, anchor)
      : undefined;
  }

  async function issue(request: TokenRequest): Promise<TokenOutcome> {
    const recognised = await recognise(request);
    if (recognised.type !== 'login' && recognised.type !== 'opened') return recognised;
    const { identity } = recognised;
    const access = await signFor(identity, request);
    if (!access) {
      const { verifier, name } = identity;
      log.warn({ verifier, name }, 'the groups and claims of an identity are too large for a token');
      return { type: 'refused', reason: 'the groups and claims of the identity are too large for a token' };
    }
    // Last, so that a token is spent only for an answer that goes out.
    const refreshToken = await refreshTokenFor(recognised, request);
    if (refreshToken && !(refreshToken instanceof Secret)) return refreshToken;
    return {
      type: 'issued',
      issued: {
        token: access.token,
        expiresInSeconds: lifetimeSeconds,
        issuedAt: new Date(access.issuedAtSeconds * 1000),
        scopes: access.scopes,
        refreshToken,
        identity,
      },
    };
  }

  async function checkAnew(token: string, service: string): Promise<Bearer | undefined> {
    const claims = await verifyAccessToken(token, service, keys, clock.now());
    const identity = claims && identityOf(claims);
    if (!identity || (isAnonymous(identity) && !authenticator.anonymous)) return undefined;
    return createBearer(identity, claims.exp * 1000, claims.access, policy);
  }

  return {
    takesCertificates: authenticator.takesCertificates,
    async issue(request) {
      try {
        return await issue(request);
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        return { type: 'cannot-tell', reason, cause };
      }
    },
    async check(token, service) {
      if (token.length > MAXIMUM_TOKEN_LENGTH) return undefined;
      const key = crypto.hash('sha256', `${service}\0${token}`, 'base64');
      const known = bearers.get(key);
      if (known && known.expiresAt > clock.now()) return known;
      const bearer = known ? undefined : await checkAnew(token, service);
      if (bearer) bearers.set(key, bearer);
      else bearers.delete(key);
      return bearer;
    },
    revoke: (refreshToken) => refreshTokens.revoke(refreshToken),
    publicKeys: () => publicKeySet(keys),
  };
}
