import type { CredentialSource } from '../image-service.ts';

/** Is told what happens, to count it. None of these may throw. */
export interface PullCredentialsObserver {
  attempted(event: {
    readonly source: CredentialSource;
    /** Not of `aborted` attempts: kubelet gave up, and the credential has nothing to do with it. */
    readonly outcome: 'pulled' | 'turned-away' | 'failed';
  }): void;
  /** The pull goes on with what else there is: another credential of a pool, or kubelet's where the order allows it. */
  providerFailed(event: { readonly provider: string; readonly reason: 'timeout' | 'error' }): void;
  /** What a provider said. One that has been given before was `kept` by it; one that was not is `new`. */
  answered(event: { readonly provider: string; readonly answer: 'kept' | 'new' | 'none' }): void;
  /** A credential was turned away, and a new one was made in its place. */
  refreshed(event: { readonly provider: string }): void;
}

export const SILENT_OBSERVER: PullCredentialsObserver = {
  attempted: () => undefined,
  providerFailed: () => undefined,
  answered: () => undefined,
  refreshed: () => undefined,
};
