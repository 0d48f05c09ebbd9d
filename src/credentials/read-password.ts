import { type FileReference, Secret } from '../core/index.ts';
import { CredentialOptionsError } from './errors.ts';

export interface PasswordSource {
  readonly password?: Secret | undefined;
  readonly passwordFile?: FileReference | undefined;
}

/**
 * The password from the one place that holds it; a line break at a file's end does not belong to it.
 * @throws {CredentialOptionsError} when the file is empty, or when there is no place
 */
export function readPassword({ password, passwordFile }: PasswordSource): Secret {
  if (password) return password;
  if (!passwordFile) throw new CredentialOptionsError('needs exactly one of password and passwordFile');
  const text = passwordFile.text().replace(/\r?\n$/, '');
  if (text === '') throw new CredentialOptionsError(`${passwordFile.path} holds no password`);
  return new Secret(text);
}

/**
 * The same for a token, which is one word: white space in it comes from a copy that went wrong.
 * @throws {CredentialOptionsError}
 */
export function readToken(source: PasswordSource): Secret {
  const token = readPassword(source);
  if (/^[\x21-\x7e]+$/.test(token.reveal())) return token;
  const place = source.passwordFile?.path ?? 'password';
  throw new CredentialOptionsError(
    `${place} has white space or other odd characters inside; a token is one word`,
  );
}
