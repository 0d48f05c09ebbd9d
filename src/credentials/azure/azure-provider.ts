import { Secret } from '../../core/index.ts';
import { createCredentialCache } from '../credential-cache.ts';
import { withFailurePause } from '../failure-pause.ts';
import type { Credential, CredentialProvider } from '../provider.ts';
import { cloudOf } from './cloud.ts';
import { createEntraTokens, type EntraDependencies } from './entra-token.ts';
import type { AzureOptions } from './options.ts';

/**
 * A token of Entra ID for the proxy's own audience: who this machine, pod or program is in its tenant.
 * @throws {CredentialOptionsError} for a secret or certificate that can't be used
 */
export function createAzureProvider(
  options: AzureOptions,
  dependencies: EntraDependencies,
): CredentialProvider {
  const { audience, username } = options;
  const tokens = createEntraTokens(options, dependencies);

  async function fetch(_registry: string, signal: AbortSignal): Promise<Credential> {
    const { token, expiresAt } = await tokens.token(audience, cloudOf('').authority, signal);
    return { username, password: new Secret(token), expiresAt };
  }

  const cache = createCredentialCache(withFailurePause(fetch, dependencies), dependencies);
  return {
    type: 'azure',
    credential: ({ registry, signal }) => cache.get(registry, signal),
    discard: (credential) => cache.discard(credential),
    async close() {
      cache.close();
      await tokens.close();
    },
  };
}
