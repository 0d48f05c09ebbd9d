import type { Secret } from '../../core/index.ts';
import { tokenClaims } from '../token-claims.ts';
import type { TokenAttributes } from './plugin-config.ts';

/** The token, if it was made for the audience that the plugin wants; it is for nobody else's eyes. */
export function tokenForPlugin(
  token: Secret | undefined,
  attributes: TokenAttributes | undefined,
): Secret | undefined {
  if (!token || !attributes) return undefined;
  const { aud = [] } = tokenClaims(token.reveal()) ?? {};
  return [aud].flat().includes(attributes.audience) ? token : undefined;
}
