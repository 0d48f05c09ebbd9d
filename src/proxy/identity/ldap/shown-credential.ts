const MAXIMUM_USERNAME_LENGTH = 256;
const MAXIMUM_PASSWORD_BYTES = 1024;

/** Control characters, and halves of characters, which would go onto the wire as something else. */
const NOT_IN_A_NAME = /[\p{Cc}\p{Cs}]/u;
const NOT_IN_A_PASSWORD = /[\0\p{Cs}]/u;

/**
 * What is wrong with a credential before any server is asked. Above all the empty password: with it, a bind succeeds
 * for any name (RFC 4513, section 5.1.2).
 */
export function credentialProblem(username: string, password: string): string | undefined {
  if (username === '' || username.length > MAXIMUM_USERNAME_LENGTH || NOT_IN_A_NAME.test(username)) {
    return 'no possible user name';
  }
  if (password === '') return 'the password is empty';
  if (Buffer.byteLength(password) > MAXIMUM_PASSWORD_BYTES) return 'the password is too long';
  if (NOT_IN_A_PASSWORD.test(password)) return 'no possible password';
  return undefined;
}
