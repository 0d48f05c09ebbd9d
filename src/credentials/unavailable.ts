/**
 * A credential can't be had now. The message says why, as far as the service told, and what to do about it; it never
 * holds any part of a credential.
 */
export class CredentialUnavailableError extends Error {
  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = 'CredentialUnavailableError';
  }
}
