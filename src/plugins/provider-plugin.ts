import { type PluginCredential, parseCredentialAnswer } from './answers.ts';
import type { Caller } from './caller.ts';
import { PluginError } from './errors.ts';
import { redactError } from './redact.ts';
import type { Question } from './transport.ts';

/** A plugin that produces credentials. */
export interface ProviderPlugin {
  /**
   * @param registry `host` or `host:port`
   * @returns undefined when it has none for this registry
   * @throws {PluginError} when it can't tell; the signal's reason when it is aborted
   */
  credential(registry: string, signal: AbortSignal): Promise<PluginCredential | undefined>;
  close(): Promise<void>;
}

export function createProviderPlugin(name: string, caller: Caller): ProviderPlugin {
  return {
    async credential(registry, signal) {
      const body = { registry, context: { name } };
      const question: Question = { method: 'credential', body, secrets: [] };
      try {
        return await caller.call(
          async (ask, limited) => parseCredentialAnswer(await ask(question, limited)),
          signal,
        );
      } catch (error) {
        throw error instanceof PluginError ? redactError(error, []) : error;
      }
    },
    close: () => caller.close(),
  };
}
