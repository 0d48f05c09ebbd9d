import { type Clock, unlessAborted } from '../../core/index.ts';
import { canonicalRegistryName, parseImageReference } from '../../oci/index.ts';
import type { Environment } from '../../plugins/index.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { Credential, CredentialProvider, CredentialRequest } from '../provider.ts';
import { createKubeletPlugin } from './kubelet-plugin.ts';
import type { KubeletPluginsOptions } from './options.ts';
import { parsePluginConfig } from './plugin-config.ts';

export interface KubeletPluginsDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  /** Variables that the plugins see; those of this process when missing. */
  readonly env?: Environment;
}

/**
 * Credentials from plugins that were made for kubelet. Those whose `matchImages` means the image are asked in the file's
 * order, until one has a credential.
 * @throws {CredentialOptionsError} when the file is not kubelet's CredentialProviderConfig
 */
export function createKubeletPluginsProvider(
  { configFile, binaryDirectory }: KubeletPluginsOptions,
  { clock, log, env = process.env }: KubeletPluginsDependencies,
): CredentialProvider {
  const plugins = parsePluginConfig(configFile.text(), configFile.path).map((entry) =>
    createKubeletPlugin(entry, binaryDirectory.path, { clock, log, env }),
  );

  async function ask(request: CredentialRequest): Promise<Credential | undefined> {
    const image = imageOf(request);
    request.signal.throwIfAborted();
    let failure: unknown;
    for (const plugin of plugins) {
      if (!plugin.matches(image)) continue;
      try {
        // A plugin that is left goes on, and its answer is there for the next one.
        const credential = await unlessAborted(
          plugin.credential(image, request.serviceAccountToken),
          request.signal,
        );
        if (credential) return credential;
      } catch (error) {
        request.signal.throwIfAborted();
        log.warn({ err: error, plugin: plugin.name }, 'a credential provider plugin failed');
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
    return undefined;
  }

  return {
    type: 'kubelet-plugins',
    credential: ask,
    discard(credential) {
      for (const plugin of plugins) plugin.discard(credential);
    },
    async close() {
      await Promise.all(plugins.map((plugin) => plugin.close()));
    },
  };
}

/** What kubelet would say: registry and repository, Docker Hub in full. Of a whole registry, just that. */
function imageOf({ registry, image }: CredentialRequest): string {
  const reference = image === undefined ? undefined : parseImageReference(image);
  return reference ? `${reference.registry}/${reference.repository}` : canonicalRegistryName(registry);
}
