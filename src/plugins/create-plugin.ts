import type { Clock } from '../core/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { type Caller, createCaller } from './caller.ts';
import { createExecTransport, type Environment } from './exec/index.ts';
import { createGrpcTransport } from './grpc/index.ts';
import { createModuleTransport } from './module/index.ts';
import type { PluginOptions } from './options.ts';
import { createProviderPlugin, type ProviderPlugin } from './provider-plugin.ts';
import type { Transport } from './transport.ts';
import { createVerifierPlugin, type VerifierPlugin } from './verifier-plugin.ts';
import { createWebhookTransport } from './webhook/index.ts';

export interface PluginDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  /** Variables that programs may be given. */
  readonly env?: Environment;
}

/**
 * Makes the plugin that a verifier's options name. Nothing is started before the first question.
 * @throws when a certificate or a secret that the options name can't be used
 */
export function createVerifierHost(
  name: string,
  options: PluginOptions,
  dependencies: PluginDependencies,
): VerifierPlugin {
  const log = dependencies.log.child({ plugin: name });
  const own = { ...dependencies, log };
  return createVerifierPlugin(name, createPluginCaller(name, 'createVerifier', options, own), own);
}

/** The same for a provider; its name is its type. */
export function createProviderHost(options: PluginOptions, dependencies: PluginDependencies): ProviderPlugin {
  const { type } = options;
  const own = { ...dependencies, log: dependencies.log.child({ plugin: `${type} provider` }) };
  return createProviderPlugin(type, createPluginCaller(type, 'createProvider', options, own));
}

function createPluginCaller(
  name: string,
  factory: 'createVerifier' | 'createProvider',
  options: PluginOptions,
  dependencies: PluginDependencies,
): Caller {
  const transport = createTransport(name, factory, options, dependencies);
  const { timeout, concurrency } = options;
  return createCaller(transport, { timeoutMs: timeout, concurrency }, dependencies);
}

function createTransport(
  name: string,
  factory: 'createVerifier' | 'createProvider',
  options: PluginOptions,
  { clock, log, env = process.env }: PluginDependencies,
): Transport {
  switch (options.type) {
    case 'module':
      return createModuleTransport(options, { name, factory }, { clock, log });
    case 'grpc':
      return createGrpcTransport(options, options.timeout);
    case 'exec':
      return createExecTransport(options, { log, env });
    case 'webhook':
      return createWebhookTransport(options, options.timeout, { clock });
  }
}
