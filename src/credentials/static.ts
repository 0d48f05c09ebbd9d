import type { CredentialOptions } from './options.ts';
import type { Credential, CredentialProvider } from './provider.ts';
import { readPassword } from './read-password.ts';

type StaticOptions = Extract<CredentialOptions, { type: 'static' }>;

/**
 * The same user name and password for every registry.
 * @throws {CredentialOptionsError} when the password file is empty
 */
export function createStaticProvider(options: StaticOptions): CredentialProvider {
  return createFixedProvider('static', { username: options.username, password: readPassword(options) });
}

/** Always this credential. */
export function createFixedProvider(type: string, credential: Credential): CredentialProvider {
  return {
    type,
    credential: async () => credential,
    close: async () => {},
  };
}
