import type { Clock } from '../../../core/index.ts';
import { type Credential, type CredentialProvider, IDENTITY_TOKEN_USER } from '../../../credentials/index.ts';
import { type ImageReference, registryHost } from '../../../oci/index.ts';
import type { Logger } from '../../../telemetry/index.ts';
import { askProvider, ProviderTimeoutError } from '../../image-rules/index.ts';
import { type AuthConfig, authConfig } from '../auth-config.ts';
import type { PullCredentialsObserver } from './observer.ts';

/** What a provider said. */
export type ProviderAnswer =
  | { readonly type: 'credential'; readonly credential: Credential; readonly auth: AuthConfig }
  | { readonly type: 'none' }
  | { readonly type: 'failed'; readonly error: Error };

/** The image that a credential is wanted for. */
export interface Wanted {
  readonly image: string;
  readonly reference: ImageReference;
  readonly signal: AbortSignal;
}

/** A rule's provider, bounded and watched. */
export interface RuleCredential {
  /** @throws only the signal's reason, when kubelet has given up */
  get(wanted: Wanted): Promise<ProviderAnswer>;
  /** Another credential in place of one that was turned away; undefined where the provider can only repeat itself. */
  replace(turnedAway: Credential, wanted: Wanted): Promise<ProviderAnswer | undefined>;
}

export function createRuleCredential(
  provider: CredentialProvider,
  {
    clock,
    log,
    observer,
  }: { readonly clock: Clock; readonly log: Logger; readonly observer: PullCredentialsObserver },
): RuleCredential {
  // Providers keep the very object, so this sees what came out of their caches.
  const given = new WeakSet<Credential>();

  function noteAnswer(credential: Credential | undefined): void {
    const answer = !credential ? 'none' : given.has(credential) ? 'kept' : 'new';
    if (credential) given.add(credential);
    observer.answered({ provider: provider.type, answer });
  }

  async function get({ image, reference, signal }: Wanted): Promise<ProviderAnswer> {
    const registry = registryHost(reference.registry);
    try {
      const credential = await askProvider(provider, { registry, image, signal }, clock);
      noteAnswer(credential);
      return credential
        ? { type: 'credential', credential, auth: authConfigOf(credential, registry) }
        : { type: 'none' };
    } catch (cause) {
      signal.throwIfAborted();
      const error = cause instanceof Error ? cause : new Error(String(cause));
      log.warn({ err: error, provider: provider.type, image }, 'a provider gave no credential');
      const reason = error instanceof ProviderTimeoutError ? 'timeout' : 'error';
      observer.providerFailed({ provider: provider.type, reason });
      return { type: 'failed', error };
    }
  }

  return {
    get,
    async replace(turnedAway, wanted) {
      if (!provider.discard) return undefined;
      provider.discard(turnedAway);
      const answer = await get(wanted);
      if (answer.type === 'credential' && isSame(answer.credential, turnedAway)) return undefined;
      if (answer.type === 'credential') observer.refreshed({ provider: provider.type });
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
