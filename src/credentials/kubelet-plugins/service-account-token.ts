import { decodeJwt } from 'jose';
import type { Secret } from '../../core/index.ts';
import type { TokenAttributes } from './plugin-config.ts';

/** The token, if it was made for the audience that the plugin wants; it is for nobody else's eyes. */
export function tokenForPlugin(
  token: Secret | undefined,
  attributes: TokenAttributes | undefined,
): Secret | undefined {
  if (!token || !attributes) return undefined;
  try {
    const { aud = [] } = decodeJwt(token.reveal());
    return [aud].flat().includes(attributes.audience) ? token : undefined;
  } catch {
    return undefined;
  }
}
