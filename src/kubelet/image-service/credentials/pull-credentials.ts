import type { Clock } from '../../../core/index.ts';
import {
  type CredentialOptions,
  type CredentialProvider,
  createCredentialProvider,
} from '../../../credentials/index.ts';
import type { Logger } from '../../../telemetry/index.ts';
import { createRuleFinder } from '../../image-rules/index.ts';
import { ImageServiceError, STATUS } from '../errors.ts';
import type { AuthConfig } from '../gen/runtime/v1/image_pb.ts';
import type { PullAttempt, PullCredentials } from '../image-service.ts';
import { allOrNone } from './all-or-none.ts';
import { isAuthorizationFailure } from './authorization-failure.ts';
import { type PullCredentialsObserver, SILENT_OBSERVER } from './observer.ts';
import type { CredentialOrder, PullCredentialOptions } from './options.ts';
import {
  createRuleCredential,
  type ProviderAnswer,
  type RuleCredential,
  type Wanted,
} from './rule-credential.ts';

export interface PullCredentialsDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  readonly observer?: PullCredentialsObserver;
  /** Makes the provider of a rule; as the configuration says, when missing. */
  readonly createProvider?: (options: CredentialOptions) => CredentialProvider;
}

/** How one try ended that may be followed by another. */
type Outcome<T> =
  | { readonly type: 'pulled'; readonly value: T }
  | { readonly type: 'turned-away'; readonly error: ImageServiceError }
  /** There was nothing to try with. */
  | { readonly type: 'passed-over'; readonly failure?: Error };

type Try<T> = (attempt: PullAttempt) => Promise<Outcome<T>>;

/** Of a provider's message. */
const SHOWN_CHARACTERS = 300;
const NOBODYS: PullAttempt = { auth: undefined, source: 'none' };

/**
 * Credentials by image. An image that no pattern means is pulled with what kubelet has.
 * @throws {CredentialOptionsError} when a file that the options name does not hold what it should
 */
export function createPullCredentials(
  options: PullCredentialOptions,
  { clock, log, observer = SILENT_OBSERVER, createProvider }: PullCredentialsDependencies,
): PullCredentials {
  const make = allOrNone(
    createProvider ?? ((provider) => createCredentialProvider(provider, { clock, log })),
    (err) => log.warn({ err }, 'a provider that is not used did not close'),
  );
  const rules = options.map(({ images, order, provider: providerOptions }) => {
    const provider = make(providerOptions);
    return { images, order, provider, credential: createRuleCredential(provider, { clock, log, observer }) };
  });
  const find = createRuleFinder(rules);

  return {
    async pull(image, shown, attempt, { signal }) {
      const tryOnce = observed(image, attempt, observer, signal);
      const found = find(image);
      const kubelets = kubeletsAttempt(shown);
      if (!found) return pulled(await tryOnce(kubelets));
      const { order, provider, credential } = found.rule;
      const wanted: Wanted = { image, reference: found.reference, signal };
      let turnedAway: ImageServiceError | undefined;
      let failure: Error | undefined;
      for (const source of sourcesInTurn(order, shown)) {
        const outcome =
          source === 'kubelet'
            ? await tryOnce(kubelets)
            : await tryWithProvider(credential, wanted, tryOnce, order === 'provider-only');
        if (outcome.type === 'pulled') return outcome.value;
        if (outcome.type === 'turned-away') turnedAway = outcome.error;
        else failure = outcome.failure;
      }
      throw endOf(turnedAway, failure, provider.type);
    },
    async close() {
      await Promise.all(rules.map(({ provider }) => provider.close()));
    },
  };
}

function kubeletsAttempt(shown: AuthConfig | undefined): PullAttempt {
  return shown ? { auth: shown, source: 'kubelet' } : NOBODYS;
}

/** Without a credential of kubelet's own, its try is the one without any; that one comes last. */
function sourcesInTurn(
  order: CredentialOrder,
  shown: AuthConfig | undefined,
): readonly ('kubelet' | 'provider')[] {
  if (order === 'provider-only') return ['provider'];
  return order === 'kubelet-first' && shown ? ['kubelet', 'provider'] : ['provider', 'kubelet'];
}

async function tryWithProvider<T>(
  rule: RuleCredential,
  wanted: Wanted,
  tryOnce: Try<T>,
  only: boolean,
): Promise<Outcome<T>> {
  const answer = await rule.get(wanted);
  if (answer.type === 'none' && only) return tryOnce(NOBODYS);
  if (answer.type !== 'credential') return passedOver(answer);
  const outcome = await tryOnce({ auth: answer.auth, source: 'provider' });
  if (outcome.type !== 'turned-away') return outcome;
  const another = await rule.replace(answer.credential, wanted);
  if (another?.type !== 'credential') return outcome;
  return tryOnce({ auth: another.auth, source: 'provider' });
}

function passedOver(answer: ProviderAnswer): Outcome<never> {
  return { type: 'passed-over', ...(answer.type === 'failed' && { failure: answer.error }) };
}

/** Makes an attempt; only one that was turned away is worth another. */
function observed<T>(
  image: string,
  attempt: (attempt: PullAttempt) => Promise<T>,
  observer: PullCredentialsObserver,
  signal: AbortSignal,
): Try<T> {
  return async (pullAttempt) => {
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
      throw error;
    }
  };
}

function pulled<T>(outcome: Outcome<T>): T {
  if (outcome.type === 'pulled') return outcome.value;
  throw endOf(outcome.type === 'turned-away' ? outcome.error : undefined, undefined, '');
}

/** The last attempt's error. Where a provider failed, that goes into the pod's events too: it may be the reason. */
function endOf(
  turnedAway: ImageServiceError | undefined,
  failure: Error | undefined,
  provider: string,
): ImageServiceError {
  if (turnedAway && !failure) return turnedAway;
  const reason = `the ${provider} provider ${failure ? `failed: ${failure.message.slice(0, SHOWN_CHARACTERS)}` : 'has no credential'}`;
  if (turnedAway) {
    return new ImageServiceError(turnedAway.code, `${turnedAway.message} (${reason})`, { cause: turnedAway });
  }
  const message = `not pulled, because ${reason}; the order for this image is provider-only`;
  return new ImageServiceError(STATUS.UNAVAILABLE, message, { cause: failure });
}
