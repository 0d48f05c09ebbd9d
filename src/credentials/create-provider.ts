import type { Clock } from '../core/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { createAnonymousProvider } from './anonymous.ts';
import { createDockerConfigProvider } from './docker-config.ts';
import { createKubeletPluginsProvider } from './kubelet-plugins/index.ts';
import type { CredentialOptions } from './options.ts';
import { createPluginProvider } from './plugin/index.ts';
import type { CredentialProvider } from './provider.ts';
import { createStaticProvider } from './static.ts';

export interface CredentialDependencies {
  /** For credentials that end: when a new one is due. */
  readonly clock: Clock;
  readonly log: Logger;
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
      return createDockerConfigProvider(options);
    case 'kubelet-plugins':
      return createKubeletPluginsProvider(options, dependencies);
    case 'module':
    case 'grpc':
    case 'exec':
    case 'webhook':
      return createPluginProvider(options, dependencies);
  }
}
