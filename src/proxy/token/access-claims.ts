import { z } from 'zod';
import { ANONYMOUS, type Identity } from '../identity/index.ts';

/** Who issues our tokens. What they are for stands in the audience. */
export const ISSUER = 'drp';

/**
 * What an access token says. `access` is what was granted, as the reference registry writes it.
 * @see RFC 7519; distribution, token authentication specification
 */
export const accessClaims = z.object({
  iss: z.literal(ISSUER),
  aud: z.string(),
  sub: z.string(),
  iat: z.number().int(),
  nbf: z.number().int(),
  exp: z.number().int(),
  jti: z.string(),
  verifier: z.string().min(1),
  groups: z.array(z.string()),
  claims: z.record(z.string(), z.unknown()),
  access: z.array(z.object({ type: z.string(), name: z.string(), actions: z.array(z.string()) })),
});
export type AccessClaims = z.infer<typeof accessClaims>;
export type Access = AccessClaims['access'];

/** The identity inside a token; undefined when the token contradicts itself. */
export function identityOf({ verifier, sub, groups, claims }: AccessClaims): Identity | undefined {
  if ((verifier === ANONYMOUS) !== (sub === '')) return undefined;
  return { verifier, name: sub, groups, claims };
}

/** Bytes that groups and claims take up in a token. */
export function identitySize({ name, groups, claims }: Identity): number {
  return Buffer.byteLength(JSON.stringify([name, groups, claims]));
}
