import { type Clock, Secret } from '../core/index.ts';
import type { CredentialProvider } from './provider.ts';
import { tokenEnd } from './token-claims.ts';
import { readTokenFile } from './token-file.ts';
import type { KubernetesTokenOptions, TokenFileOptions } from './token-options.ts';
import { CredentialUnavailableError } from './unavailable.ts';

export interface TokenDependencies {
  readonly clock: Clock;
}

/**
 * The token of a Kubernetes service account: the one that kubelet hands over with the question, else the one that it
 * renews in a file. Nothing is kept: the file is always as new as can be.
 */
export function createKubernetesProvider(
  { tokenFile, username }: KubernetesTokenOptions,
  { clock }: TokenDependencies,
): CredentialProvider {
  return {
    type: 'kubernetes',
    async credential({ serviceAccountToken, signal }) {
      signal.throwIfAborted();
      if (serviceAccountToken) return credentialOf(username, serviceAccountToken.reveal(), 'kubelet', clock);
      if (tokenFile)
        return credentialOf(username, await readTokenFile(tokenFile.path), tokenFile.path, clock);
      throw new CredentialUnavailableError(
        'kubelet handed over no service account token: set tokenAttributes in its credential provider configuration, or name a tokenFile',
      );
    },
    close: async () => {},
  };
}

/** A token in a file, which somebody else renews: of a CI system, or of SPIFFE. */
export function createTokenFileProvider(
  { tokenFile, username }: TokenFileOptions,
  { clock }: TokenDependencies,
): CredentialProvider {
  return {
    type: 'token-file',
    async credential({ signal }) {
      signal.throwIfAborted();
      return credentialOf(username, await readTokenFile(tokenFile.path), tokenFile.path, clock);
    },
    close: async () => {},
  };
}

function credentialOf(username: string, token: string, source: string, clock: Clock) {
  const expiresAt = tokenEnd(token);
  if (expiresAt !== undefined && expiresAt <= clock.now()) {
    throw new CredentialUnavailableError(
      `the token of ${source} ended at ${new Date(expiresAt).toISOString()}: whoever renews it has stopped`,
    );
  }
  return { username, password: new Secret(token), ...(expiresAt !== undefined && { expiresAt }) };
}
