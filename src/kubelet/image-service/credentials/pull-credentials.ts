import type { Clock } from '../../../core/index.ts';
import {
  type CredentialOptions,
  type CredentialProvider,
  createCredentialProvider,
} from '../../../credentials/index.ts';
import type { Logger } from '../../../telemetry/index.ts';
import { createRuleFinder } from '../../image-rules/index.ts';
import type { AuthConfig } from '../auth-config.ts';
import { ImageServiceError, STATUS } from '../errors.ts';
import type { PullAttempt, PullCredentials } from '../image-service.ts';
import { allOrNone } from './all-or-none.ts';
import { type PullCredentialsObserver, SILENT_OBSERVER } from './observer.ts';
import type { CredentialOrder, PullCredentialOptions } from './options.ts';
import { createTry, NOBODYS, type Outcome } from './outcome.ts';
import { Patience } from './patience.ts';
import { createRuleProvider } from './rule-provider.ts';

export interface PullCredentialsDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  readonly observer?: PullCredentialsObserver;
  /** Makes the provider of a rule; as the configuration says, when missing. */
  readonly createProvider?: (options: CredentialOptions) => CredentialProvider;
}

/** Of a provider's message. */
const SHOWN_CHARACTERS = 300;

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
  const rules = options.map(({ images, order, provider }) => ({
    images,
    order,
    provider: createRuleProvider(make(provider), { clock, log, observer }),
  }));
  const find = createRuleFinder(rules);

  return {
    async pull(image, shown, attempt, { signal }) {
      const tryOnce = createTry({ image, attempt, observer, signal });
      const kubelets: PullAttempt = shown ? { auth: shown, source: 'kubelet' } : NOBODYS;
      const withKubelets = async () => [await tryOnce(kubelets)];
      const found = find(image);
      if (!found) return firstPulled([withKubelets], 'no');
      const { order, provider } = found.rule;
      const wanted = { image, reference: found.reference, patience: new Patience(clock), signal };
      const withProviders = () => provider.pull(wanted, tryOnce, order === 'provider-only');
      const tries = { kubelet: withKubelets, provider: withProviders };
      return firstPulled(
        sourcesInTurn(order, shown).map((source) => tries[source]),
        provider.type,
      );
    },
    async close() {
      await Promise.all(rules.map(({ provider }) => provider.close()));
    },
  };
}

/** Without a credential of kubelet's own, its try is the one without any; that one comes last. */
function sourcesInTurn(
  order: CredentialOrder,
  shown: AuthConfig | undefined,
): readonly ('kubelet' | 'provider')[] {
  if (order === 'provider-only') return ['provider'];
  return order === 'kubelet-first' && shown ? ['kubelet', 'provider'] : ['provider', 'kubelet'];
}

/** @throws {ImageServiceError} of the last try when none has pulled */
async function firstPulled<T>(
  tries: readonly (() => Promise<readonly Outcome<T>[]>)[],
  provider: string,
): Promise<T> {
  const ended: Outcome<T>[] = [];
  for (const trying of tries) {
    ended.push(...(await trying()));
    const last = ended.at(-1);
    if (last?.type === 'pulled') return last.value;
    const limited = ended.find((outcome) => outcome.type === 'rate-limited');
    if (limited) throw limited.error;
  }
  throw endOf(ended, provider);
}

/** The last attempt's error. Where a provider failed, that goes into the pod's events too: it may be the reason. */
function endOf(ended: readonly Outcome<unknown>[], provider: string): ImageServiceError {
  const turnedAway = ended.findLast((outcome) => outcome.type === 'turned-away')?.error;
  const failure = ended.find(isFailure)?.failure;
  if (turnedAway && !failure) return turnedAway;
  const reason = `the ${provider} provider ${failure ? `failed: ${failure.message.slice(0, SHOWN_CHARACTERS)}` : 'has no credential'}`;
  if (turnedAway) {
    return new ImageServiceError(turnedAway.code, `${turnedAway.message} (${reason})`, { cause: turnedAway });
  }
  const message = `not pulled, because ${reason}; the order for this image is provider-only`;
  return new ImageServiceError(STATUS.UNAVAILABLE, message, { cause: failure });
}

function isFailure(outcome: Outcome<unknown>): outcome is Outcome<unknown> & { readonly failure: Error } {
  return outcome.type === 'passed-over' && outcome.failure !== undefined;
}
