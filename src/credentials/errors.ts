/**
 * A credential can't be made from what the configuration says. The message names the file or the option and
 * never holds any of its contents.
 */
export class CredentialOptionsError extends Error {
  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = 'CredentialOptionsError';
  }
}

/**
 * A credential can't be had now. The message says who would not give it and what to look at, and holds nothing secret.
 */
export class CredentialError extends Error {
  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = 'CredentialError';
  }
}
