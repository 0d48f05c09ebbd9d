import type { Clock } from '../../../core/index.ts';
import { type Credential, type CredentialProvider, IDENTITY_TOKEN_USER } from '../../../credentials/index.ts';
import { type ImageReference, registryHost } from '../../../oci/index.ts';
import type { Logger } from '../../../telemetry/index.ts';
import { askProvider, ProviderTimeoutError } from '../../image-rules/index.ts';
import { type AuthConfig, authConfig } from '../auth-config.ts';
import type { PullCredentialsObserver } from './observer.ts';
import type { Patience } from './patience.ts';

/** What a provider said. */
export type ProviderAnswer =
  | { readonly type: 'credential'; readonly credential: Credential; readonly auth: AuthConfig }
  | { readonly type: 'none' }
  | { readonly type: 'failed'; readonly error: Error };

/** The image that a credential is wanted for. */
export interface Wanted {
  readonly image: string;
  readonly reference: ImageReference;
  readonly patience: Patience;
  readonly signal: AbortSignal;
}

/** A provider of a rule, bounded and watched. */
export interface RuleCredential {
  /** Whether it was put among others in order to do without a credential. */
  readonly isNobody: boolean;
  /** @throws only the signal's reason, when kubelet has given up */
  get(wanted: Wanted): Promise<ProviderAnswer>;
  /** Another credential in place of one that was turned away; undefined where the provider can only repeat itself. */
  replace(turnedAway: Credential, wanted: Wanted): Promise<ProviderAnswer | undefined>;
}

export interface RuleCredentialDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  readonly observer: PullCredentialsObserver;
}

/** @returns one for each credential that a pull may try, in the order of the configuration */
export function ruleCredentials(
  provider: CredentialProvider,
  dependencies: RuleCredentialDependencies,
): RuleCredential[] {
  if (!provider.members) return [createRuleCredential(provider, provider.type, false, dependencies)];
  return provider.members.map((member, index) => {
    const name = `${provider.type}[${index}]`;
    return createRuleCredential(member, name, member.type === 'anonymous', dependencies);
  });
}

function createRuleCredential(
  provider: CredentialProvider,
  name: string,
  isNobody: boolean,
  { clock, log, observer }: RuleCredentialDependencies,
): RuleCredential {
  // Providers keep the very object, so this sees what came out of their caches.
  const given = new WeakSet<Credential>();

  function noteAnswer(credential: Credential | undefined): void {
    const answer = !credential ? 'none' : given.has(credential) ? 'kept' : 'new';
    if (credential) given.add(credential);
    observer.answered({ provider: name, answer });
  }

  async function get({ image, reference, patience, signal }: Wanted): Promise<ProviderAnswer> {
    const registry = registryHost(reference.registry);
    try {
      const credential = await patience.spend((timeoutMs) =>
        askProvider(provider, { registry, image, signal }, clock, timeoutMs),
      );
      noteAnswer(credential);
      return credential
        ? { type: 'credential', credential, auth: authConfigOf(credential, registry) }
        : { type: 'none' };
    } catch (cause) {
      signal.throwIfAborted();
      const error = cause instanceof Error ? cause : new Error(String(cause));
      log.warn({ err: error, provider: name, image }, 'a provider gave no credential');
      const reason = error instanceof ProviderTimeoutError ? 'timeout' : 'error';
      observer.providerFailed({ provider: name, reason });
      return { type: 'failed', error };
    }
  }

  return {
    isNobody,
    get,
    async replace(turnedAway, wanted) {
      if (!provider.discard) return undefined;
      provider.discard(turnedAway);
      if (wanted.patience.isOver) return undefined;
      const answer = await get(wanted);
      if (answer.type === 'credential' && isSame(answer.credential, turnedAway)) return undefined;
      if (answer.type === 'credential') observer.refreshed({ provider: name });
      return answer;
    },
  };
}

/** Names the registry, so that a runtime shows the credential to no mirror. */
function authConfigOf({ username, password }: Credential, registry: string): AuthConfig {
  const secret = password.reveal();
  return authConfig({
    ...(username === IDENTITY_TOKEN_USER ? { identityToken: secret } : { username, password: secret }),
    serverAddress: `https://${registry}`,
  });
}

function isSame(a: Credential, b: Credential): boolean {
  return a.username === b.username && a.password.equals(b.password);
}
