import { Secret } from '../../core/index.ts';
import { createProviderHost, type PluginDependencies, type PluginOptions } from '../../plugins/index.ts';
import { createCredentialCache } from '../credential-cache.ts';
import type { Credential, CredentialProvider } from '../provider.ts';

/**
 * Credentials from a plugin. It is started with the first one that is needed.
 * @throws when a certificate or a secret that the options name can't be used
 */
export function createPluginProvider(
  options: PluginOptions,
  dependencies: PluginDependencies,
): CredentialProvider {
  const plugin = createProviderHost(options, dependencies);

  async function fetch(registry: string, signal: AbortSignal): Promise<Credential | undefined> {
    const answer = await plugin.credential(registry, signal);
    if (!answer) return undefined;
    const { username, password, expiresAt } = answer;
    return { username, password: new Secret(password), ...(expiresAt !== undefined && { expiresAt }) };
  }

  const cache = createCredentialCache(fetch, dependencies);
  return {
    type: options.type,
    credential: ({ registry, signal }) => cache.get(registry, signal),
    discard: (credential) => cache.discard(credential),
    async close() {
      cache.close();
      await plugin.close();
    },
  };
}
