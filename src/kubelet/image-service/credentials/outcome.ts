import { ImageServiceError } from '../errors.ts';
import type { PullAttempt } from '../image-service.ts';
import { isAuthorizationFailure } from './authorization-failure.ts';
import type { PullCredentialsObserver } from './observer.ts';
import { isRateLimitFailure } from './rate-limit-failure.ts';

/** How one try ended that may be followed by another. */
export type Outcome<T> =
  | { readonly type: 'pulled'; readonly value: T }
  /** Another credential may help. */
  | { readonly type: 'turned-away'; readonly error: ImageServiceError }
  /** Another one of the same provider may help; anybody else's is no remedy for it. */
  | { readonly type: 'rate-limited'; readonly error: ImageServiceError }
  /** There was nothing to try with. */
  | { readonly type: 'passed-over'; readonly failure?: Error };

export type Try<T> = (attempt: PullAttempt) => Promise<Outcome<T>>;

/** The attempt without a credential. */
export const NOBODYS: PullAttempt = { auth: undefined, source: 'none' };

/** What the attempts of one pull need. */
export interface Attempts<T> {
  readonly image: string;
  readonly attempt: (attempt: PullAttempt) => Promise<T>;
  readonly observer: PullCredentialsObserver;
  readonly signal: AbortSignal;
}

/** Makes attempts, the one without a credential no more than once. What no other credential would help with is thrown. */
export function createTry<T>(attempts: Attempts<T>): Try<T> {
  let nobodys: Promise<Outcome<T>> | undefined;
  return (pullAttempt) => {
    if (pullAttempt.auth) return tryOnce(attempts, pullAttempt);
    nobodys ??= tryOnce(attempts, pullAttempt);
    return nobodys;
  };
}

async function tryOnce<T>(
  { image, attempt, observer, signal }: Attempts<T>,
  pullAttempt: PullAttempt,
): Promise<Outcome<T>> {
  const { source } = pullAttempt;
  try {
    const value = await attempt(pullAttempt);
    observer.attempted({ source, outcome: 'pulled' });
    return { type: 'pulled', value };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ImageServiceError && isAuthorizationFailure(error, image)) {
      observer.attempted({ source, outcome: 'turned-away' });
      return { type: 'turned-away', error };
    }
    observer.attempted({ source, outcome: 'failed' });
    if (error instanceof ImageServiceError && isRateLimitFailure(error, image)) {
      return { type: 'rate-limited', error };
    }
    throw error;
  }
}
