import type { Clock } from '../../core/index.ts';
import {
  type Credential,
  type CredentialDependencies,
  type CredentialProvider,
  createCredentialProvider,
} from '../../credentials/index.ts';
import { registryHost } from '../../oci/index.ts';
import { askProvider, createRuleFinder, type FoundRule } from '../image-rules/index.ts';
import { CredentialProviderError } from './errors.ts';
import { imageKey } from './image-key.ts';
import type { CredentialProviderOptions } from './options.ts';
import type { PluginRequest } from './request.ts';
import type { Reach } from './response.ts';

type Rule = CredentialProviderOptions['credentials'][number];

/** A credential, and what it is good for. */
export interface FoundCredential {
  readonly credential: Credential;
  readonly reach: Reach;
}

export interface FindDependencies extends CredentialDependencies {
  readonly clock: Clock;
  /** Makes the provider of a rule; as the configuration says, when missing. */
  readonly createProvider?: (options: Rule['provider']) => CredentialProvider;
}

/**
 * The credential for an image, from the provider of the rule that it falls under.
 * @returns undefined where no rule means the image, or its provider has none
 * @throws {CredentialProviderError} when the provider fails or takes too long; kubelet then goes on without
 */
export async function findCredential(
  { image, serviceAccountToken }: PluginRequest,
  { credentials }: CredentialProviderOptions,
  dependencies: FindDependencies,
): Promise<FoundCredential | undefined> {
  const found = createRuleFinder(credentials)(image);
  if (!found) return undefined;
  const { createProvider = (options) => createCredentialProvider(options, dependencies) } = dependencies;
  const provider = createProvider(found.rule.provider);
  try {
    const request = {
      registry: registryHost(found.reference.registry),
      image,
      ...(serviceAccountToken && { serviceAccountToken }),
      signal: new AbortController().signal,
    };
    const credential = await askProvider(provider, request, dependencies.clock);
    return credential && { credential, reach: reachOf(found) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CredentialProviderError(`the ${provider.type} provider for ${image} failed: ${reason}`, {
      cause,
    });
  } finally {
    await provider.close();
  }
}

/** Kubelet takes an answer again for what its key matches: never for images of another rule. */
function reachOf({ reference, wholeRegistry }: FoundRule<Rule>): Reach {
  return wholeRegistry
    ? { cacheKeyType: 'Registry', key: reference.registry }
    : { cacheKeyType: 'Image', key: imageKey(reference) };
}
