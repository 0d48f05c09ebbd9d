/** Who is asking. */
export interface Identity {
  /** Name of the verifier that knows them; {@link ANONYMOUS} for nobody in particular. */
  readonly verifier: string;
  /** Empty for anonymous. */
  readonly name: string;
  readonly groups: readonly string[];
  /** Facts a verifier has proved, for the policy to look at. JSON values only. */
  readonly claims: Readonly<Record<string, unknown>>;
}

export const ANONYMOUS = 'anonymous';

export const anonymousIdentity: Identity = { verifier: ANONYMOUS, name: '', groups: [], claims: {} };

export function isAnonymous(identity: Identity): boolean {
  return identity.verifier === ANONYMOUS;
}
