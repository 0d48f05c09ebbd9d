import type { Clock } from '../core/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { createAccountProvider } from './account.ts';
import { createAnonymousProvider } from './anonymous.ts';
import { createDocumentProvider, createEcrProvider, createStsProvider } from './aws/index.ts';
import { createAcrProvider, createAzureAttestedProvider, createAzureProvider } from './azure/index.ts';
import { createDockerConfigProvider } from './docker-config/index.ts';
import { createGcpProvider } from './gcp/index.ts';
import { createGhcrProvider } from './ghcr/index.ts';
import { createKubeletPluginsProvider } from './kubelet-plugins/index.ts';
import type { CredentialOptions } from './options.ts';
import { createPluginProvider } from './plugin/index.ts';
import { createPool } from './pool.ts';
import type { CredentialProvider } from './provider.ts';
import { createStaticProvider } from './static.ts';
import { createKubernetesProvider, createTokenFileProvider } from './token-providers.ts';

export interface CredentialDependencies {
  /** For credentials that end: when a new one is due. */
  readonly clock: Clock;
  readonly log: Logger;
  /** What a cloud's machine is told by its environment; that of the process when missing. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Makes the provider that the options name; without options, the anonymous one.
 * @throws {CredentialOptionsError} when a file that the options name does not hold what it should
 */
export function createCredentialProvider(
  options: CredentialOptions | undefined,
  dependencies: CredentialDependencies,
): CredentialProvider {
  switch (options?.type) {
    case undefined:
    case 'anonymous':
      return createAnonymousProvider();
    case 'static':
      return createStaticProvider(options);
    case 'docker-config':
      return createDockerConfigProvider(options, dependencies);
    case 'dockerhub':
    case 'quay':
    case 'gitlab':
    case 'harbor':
      return createAccountProvider(options);
    case 'ghcr':
      return createGhcrProvider(options, dependencies);
    case 'pool':
      return createPool(options.members.map((member) => createCredentialProvider(member, dependencies)));
    case 'ecr':
      return createEcrProvider(options, dependencies);
    case 'aws-sts':
      return createStsProvider(options, dependencies);
    case 'aws-iid':
      return createDocumentProvider(options, dependencies);
    case 'kubelet-plugins':
      return createKubeletPluginsProvider(options, dependencies);
    case 'gcp':
      return createGcpProvider(options, dependencies);
    case 'acr':
      return createAcrProvider(options, dependencies);
    case 'azure':
      return createAzureProvider(options, dependencies);
    case 'azure-attested':
      return createAzureAttestedProvider(options, dependencies);
    case 'kubernetes':
      return createKubernetesProvider(options, dependencies);
    case 'token-file':
      return createTokenFileProvider(options, dependencies);
    case 'module':
    case 'grpc':
    case 'exec':
    case 'webhook':
      return createPluginProvider(options, dependencies);
  }
}
