import type { X509Certificate } from 'node:crypto';
import type { JSONWebKeySet } from 'jose';
import type { Secret } from '../../core/index.ts';
import type { RepositoryName, Scope } from '../../oci/index.ts';
import type { Identity, ShownCredential } from '../identity/index.ts';
import type { Action, Decision } from '../policy/index.ts';

/** A request to the token endpoint, already parsed. */
export interface TokenRequest {
  readonly grant:
    | { readonly type: 'anonymous' }
    | { readonly type: 'password'; readonly credential: ShownCredential }
    | { readonly type: 'certificate'; readonly certificate: X509Certificate }
    | { readonly type: 'refresh'; readonly refreshToken: Secret };
  /** The service the token is for; it becomes the audience. */
  readonly service: string;
  readonly scopes: readonly Scope[];
  /**
   * Whether a refresh token is wanted. `fixed`: the client keeps the one it gets (`docker login` stores it and never
   * takes a successor); `rotating`: each use yields a successor, and using an old one again revokes the family.
   */
  readonly refresh: 'none' | 'fixed' | 'rotating';
  /** The client's address, as far as trusted proxies vouch for it. */
  readonly client: string;
  readonly signal: AbortSignal;
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresInSeconds: number;
  readonly issuedAt: Date;
  /** What was granted: the intersection of asked and allowed, possibly nothing. */
  readonly scopes: readonly Scope[];
  readonly refreshToken: Secret | undefined;
  readonly identity: Identity;
}

/** What the token endpoint comes to. */
export type TokenOutcome =
  | { readonly type: 'issued'; readonly issued: IssuedToken }
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'limited'; readonly reason: string; readonly retryAfterSeconds: number }
  | { readonly type: 'cannot-tell'; readonly reason: string; readonly cause?: unknown };

/** A bearer token that has been checked; kept until it ends, so that its next use costs a look-up. */
export interface Bearer {
  readonly identity: Identity;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Whether the token was issued for this action on this repository. */
  covers(repository: RepositoryName, action: Action): boolean;
  /** The policy's answer of today; remembered with the token. */
  decide(repository: RepositoryName, action: Action): Decision;
}

export interface TokenService {
  /** Whether a client certificate may stand for a login. */
  readonly takesCertificates: boolean;
  issue(request: TokenRequest): Promise<TokenOutcome>;
  /** @returns undefined for any token that is not a valid one of ours for this service. Never rejects. */
  check(token: string, service: string): Promise<Bearer | undefined>;
  /** Revokes a refresh token and its family. Unknown tokens are fine (RFC 7009, section 2.2). */
  revoke(refreshToken: Secret): Promise<void>;
  /** The public keys that tokens may be signed with. */
  publicKeys(): JSONWebKeySet;
}
