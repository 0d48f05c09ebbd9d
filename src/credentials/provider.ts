import type { Secret } from '../core/index.ts';

/**
 * The user name of a credential whose password is an identity token: no password, but a refresh token that a token
 * server takes. Docker's own convention.
 */
export const IDENTITY_TOKEN_USER = '<token>';

/** What we show to someone else. */
export interface Credential {
  readonly username: string;
  readonly password: Secret;
  /** Milliseconds since the epoch; absent for a credential that does not end by itself. */
  readonly expiresAt?: number;
}

/** Which registry the credential is for. */
export interface CredentialRequest {
  /** `host` or `host:port`, as in the upstream's URL. */
  readonly registry: string;
  /** The image that is to be pulled, as its reference was given; absent where more than one image is meant. */
  readonly image?: string;
  /** The pod's service account token, where kubelet handed one over with the question. */
  readonly serviceAccountToken?: Secret;
  readonly signal: AbortSignal;
}

/** Produces the credential that is shown to an upstream, or to the proxy. */
export interface CredentialProvider {
  /** The `type` in the configuration. */
  readonly type: string;
  /** Where several credentials serve one registry: each by itself. Whoever can choose between them asks these. */
  readonly members?: readonly CredentialProvider[];
  /**
   * @returns the credential, or undefined where there is none for this registry (the call then goes out anonymous)
   * @throws when there should be one and it can't be had now
   */
  credential(request: CredentialRequest): Promise<Credential | undefined>;
  /**
   * Says that a credential from here was turned away although it should still hold. A provider that can make a new one
   * makes it for the next question; one that can only repeat itself lacks this.
   */
  discard?(credential: Credential): void;
  close(): Promise<void>;
}
