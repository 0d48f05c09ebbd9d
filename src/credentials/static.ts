import { Secret } from '../core/index.ts';
import { CredentialOptionsError } from './errors.ts';
import type { CredentialOptions } from './options.ts';
import type { Credential, CredentialProvider } from './provider.ts';

type StaticOptions = Extract<CredentialOptions, { type: 'static' }>;

/**
 * The same user name and password for every registry.
 * @throws {CredentialOptionsError} when the password file is empty
 */
export function createStaticProvider(options: StaticOptions): CredentialProvider {
  const credential: Credential = { username: options.username, password: readPassword(options) };
  return {
    type: 'static',
    credential: async () => credential,
    close: async () => {},
  };
}

function readPassword({ password, passwordFile }: StaticOptions): Secret {
  if (password) return password;
  if (!passwordFile) throw new CredentialOptionsError('needs exactly one of password and passwordFile');
  const text = passwordFile.text().replace(/\r?\n$/, '');
  if (text === '') throw new CredentialOptionsError(`${passwordFile.path} holds no password`);
  return new Secret(text);
}
