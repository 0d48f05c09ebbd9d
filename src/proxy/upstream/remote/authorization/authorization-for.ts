import { type Credential, IDENTITY_TOKEN_USER } from '../../../../credentials/index.ts';
import { UpstreamError } from '../../errors.ts';
import { basicAuthorization } from './basic.ts';
import type { Scheme } from './scheme.ts';
import { requestToken, type TokenSender } from './token-request.ts';

/**
 * The `Authorization` for one request, made anew.
 * @param scope what a token has to be good for; without one, for a login and nothing else
 * @throws {UpstreamError} when the token server gives none, or the scheme does not go with the credential
 */
export async function authorizationFor(
  scheme: Scheme,
  credential: Credential | undefined,
  scope: string | undefined,
  send: TokenSender,
): Promise<string> {
  if (scheme.type === 'basic') return basicAuthorization(requirePassword(credential));
  const { result } = await requestToken(scheme, scope, credential, send);
  if (result instanceof UpstreamError) throw result;
  return `Bearer ${result.value}`;
}

/**
 * A credential that can be shown to a registry itself.
 * @throws {UpstreamError} `refused`
 */
export function requirePassword(credential: Credential | undefined): Credential {
  if (!credential) {
    throw new UpstreamError('refused', 'the registry wants a user name, and no credential is configured');
  }
  if (credential.username === IDENTITY_TOKEN_USER) {
    throw new UpstreamError(
      'refused',
      'the credential is an identity token, which only token servers take, and the registry wants a password',
    );
  }
  return credential;
}
