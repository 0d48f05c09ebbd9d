import type { Clock } from '../../../core/index.ts';
import type { Membership } from './membership.ts';
import type { People, Person } from './people.ts';
import type { PersonalTokens } from './personal-tokens.ts';
import type { Provider, SignInChecks } from './provider.ts';
import type { SealedBox } from './sealed-box.ts';

/** Somebody who has just signed in. */
export type SignedIn =
  | { readonly type: 'signed-in'; readonly personId: string; readonly name: string }
  | {
      readonly type: 'refused';
      readonly reason: string;
      readonly advice: SignInAdvice;
      readonly cause?: unknown;
    };

/** What the person may be told, beside that it did not work. */
export type SignInAdvice = 'not-allowed' | 'no-refresh-token' | 'try-again';

/** What the sign-in and token pages need of a verifier. */
export interface SignIn {
  /** The verifier's name. */
  readonly verifier: string;
  /** What people know the provider by. */
  readonly title: string;
  readonly longestLifetimeMs: number;
  readonly tokens: Pick<PersonalTokens, 'create' | 'list' | 'revoke'>;
  /** @throws when the provider is out of reach */
  begin(redirectUri: string): Promise<{ readonly url: URL; readonly checks: SignInChecks }>;
  /** @throws when the state store is out of reach */
  complete(callback: URL, checks: SignInChecks): Promise<SignedIn>;
  /** @returns undefined for somebody who has to sign in, for the first time or again */
  find(personId: string): Promise<Person | undefined>;
}

export interface SignInDependencies {
  readonly provider: Provider;
  readonly people: People;
  readonly tokens: PersonalTokens;
  readonly box: SealedBox;
  readonly admit: (person: Person) => Membership;
  readonly clock: Clock;
}

export function createSignIn(
  options: {
    readonly name: string;
    readonly issuer: string;
    readonly title: string;
    readonly tokenLifetime: number;
  },
  { provider, people, tokens, box, admit, clock }: SignInDependencies,
): SignIn {
  async function complete(callback: URL, checks: SignInChecks): Promise<SignedIn> {
    let answer: Awaited<ReturnType<Provider['complete']>>;
    try {
      answer = await provider.complete(callback, checks);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      return { type: 'refused', reason, advice: 'try-again', cause };
    }
    const { facts, refreshToken } = answer;
    const personId = people.idOf(facts.subject);
    const earlier = await people.get(personId);
    const sealed = refreshToken === undefined ? earlier?.refreshToken : box.seal(refreshToken, personId);
    if (sealed === undefined) {
      return { type: 'refused', reason: 'the provider issued no refresh token', advice: 'no-refresh-token' };
    }
    const person: Person = {
      issuer: options.issuer,
      verifier: options.name,
      subject: facts.subject,
      name: facts.name,
      groups: [...facts.groups],
      refreshedAt: clock.now(),
      refreshingUntil: 0,
      refreshToken: sealed,
      unanswered: refreshToken === undefined && earlier?.unanswered === true,
      tokens: [],
    };
    const membership = admit(person);
    if (membership.type !== 'member') {
      return { type: 'refused', reason: membership.reason, advice: 'not-allowed' };
    }
    await people.put(personId, (now) => ({ ...person, tokens: now?.tokens ?? [] }));
    return { type: 'signed-in', personId, name: facts.name };
  }

  return {
    verifier: options.name,
    title: options.title,
    longestLifetimeMs: options.tokenLifetime,
    tokens,
    begin: (redirectUri) => provider.begin(redirectUri),
    complete,
    async find(personId) {
      const person = await people.get(personId);
      return person?.refreshToken === undefined ? undefined : person;
    },
  };
}
