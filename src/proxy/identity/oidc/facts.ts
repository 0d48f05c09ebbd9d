/** What a provider says of a person, as far as rules look at it. */
export interface Facts {
  readonly subject: string;
  readonly name: string;
  readonly groups: readonly string[];
}

const MAXIMUM_NAME_LENGTH = 256;
const MAXIMUM_GROUPS = 1000;

/** A provider's claims are not what the options expect. The message names the claim, never its value. */
export class ClaimError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ClaimError';
  }
}

/**
 * Reads claims. Groups are a list of text, or one group as text; when there are none, the person is in no group.
 * @throws {ClaimError}
 */
export function factsOf(
  claims: Readonly<Record<string, unknown>>,
  subject: string,
  { nameClaim, groupsClaim }: { readonly nameClaim: string; readonly groupsClaim: string },
): Facts {
  const name = Object.hasOwn(claims, nameClaim) ? claims[nameClaim] : undefined;
  if (typeof name !== 'string' || !isName(name)) {
    throw new ClaimError(`the claim ${nameClaim} is missing, or can not be a user name`);
  }
  // Whoever may write any address into their profile would else be anybody.
  if (nameClaim === 'email' && Object.hasOwn(claims, 'email_verified') && claims.email_verified !== true) {
    throw new ClaimError('the provider has not verified the claim email');
  }
  const value = Object.hasOwn(claims, groupsClaim) ? claims[groupsClaim] : [];
  const groups: unknown = typeof value === 'string' ? [value] : value;
  if (!Array.isArray(groups) || groups.length > MAXIMUM_GROUPS || !groups.every(isText)) {
    throw new ClaimError(`the claim ${groupsClaim} is no list of group names`);
  }
  return { subject, name, groups: [...new Set(groups)] };
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** A user name ends at the first colon where HTTP carries it. @see RFC 7617 */
function isName(text: string): boolean {
  return text !== '' && text.length <= MAXIMUM_NAME_LENGTH && !/[\p{Cc}:]/u.test(text);
}
