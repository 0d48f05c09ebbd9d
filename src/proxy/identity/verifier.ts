import type { X509Certificate } from 'node:crypto';
import type { Secret } from '../../core/index.ts';
import type { Identity } from './identity.ts';

/** What a client shows: the user name and password of a login. */
export interface ShownCredential {
  readonly username: string;
  readonly password: Secret;
}

/**
 * What a verifier says of a credential. "Cannot tell" is neither yes nor no: its source is out of reach, and
 * the client hears 503. Reasons are for the log, never for the client.
 */
export type Outcome =
  | {
      readonly type: 'identity';
      readonly identity: Identity;
      /**
       * An opaque mark of the proof behind this identity (of a stored password's hash, for instance). Kept with a
       * refresh token and shown to {@link Verifier.renew}: a changed mark means that the proof is no longer good.
       */
      readonly anchor?: string;
    }
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'cannot-tell'; readonly reason: string; readonly cause?: unknown };

/** Checks credentials of one kind. Each implementation passes the suite in `test/proxy/identity/verifier-suite.ts`. */
export interface Verifier {
  /** The name in the configuration; it goes into the identity. */
  readonly name: string;
  /** When set, a login with exactly this user name is this verifier's alone. */
  readonly username?: string;
  /** When set, a JWT shown as the password whose `iss` is this is for verifiers with it alone, whatever the user name. */
  readonly issuer?: string;
  /**
   * Whether a password has the form of a token that only verifiers of this kind issue. Then nobody else is asked: a
   * directory would count a failed login, and see the token.
   */
  issued?(password: Secret): boolean;
  /** Never rejects: what goes wrong is `cannot-tell`. Takes equally long for a user it does not know. */
  verify(credential: ShownCredential, signal: AbortSignal): Promise<Outcome>;
  /**
   * Checks the certificate that a client showed in the TLS handshake, or that a trusted proxy vouches for. Only for
   * verifiers that take certificates. Never rejects.
   */
  verifyCertificate?(certificate: X509Certificate, signal: AbortSignal): Promise<Outcome>;
  /**
   * Whether somebody whom this verifier knew earlier is still known, and with which groups now. Asked when a
   * refresh token is used. Where it is missing, no refresh tokens are issued for this verifier's identities.
   */
  renew?(identity: Identity, anchor: string | undefined, signal: AbortSignal): Promise<Outcome>;
  close(): Promise<void>;
}
