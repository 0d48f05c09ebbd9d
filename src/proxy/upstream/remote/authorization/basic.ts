import type { Credential } from '../../../../credentials/index.ts';

/** @see RFC 7617 */
export function basicAuthorization({ username, password }: Credential): string {
  return `Basic ${Buffer.from(`${username}:${password.reveal()}`).toString('base64')}`;
}
