import { resolve } from 'node:path';
import { loadConfig } from '../../config/index.ts';
import { systemClock } from '../../core/index.ts';
import {
  answerPlugin,
  CredentialProviderError,
  createCredentialFiles,
  credentialProviderOptions,
  readQuestion,
} from '../../kubelet/credential-provider/index.ts';
import { createLogger } from '../../telemetry/index.ts';
import { CommandError } from '../errors.ts';
import type { Terminal } from '../terminal.ts';
import type { CredentialProviderCommandOptions } from './command-options.ts';

/** Answers the one question that kubelet has. @throws {CommandError | ConfigError} */
export async function runCredentialProvider(
  { config, cacheDirectory }: CredentialProviderCommandOptions,
  terminal: Terminal,
  input: () => Promise<string> = () => readQuestion(process.stdin),
): Promise<void> {
  let configFiles: readonly string[] = [];
  const load = async () => {
    const { value, files } = await loadConfig(config, credentialProviderOptions, { env: terminal.env });
    configFiles = files;
    return value;
  };
  const files =
    cacheDirectory === undefined
      ? undefined
      : createCredentialFiles(resolve(cacheDirectory), resolve(config), () => configFiles);
  // Nothing of a provider's log lines: standard output is the answer's.
  const dependencies = { clock: systemClock, log: createLogger('silent'), files, load };
  try {
    terminal.print(JSON.stringify(await answerPlugin(await input(), dependencies)));
  } catch (error) {
    if (!(error instanceof CredentialProviderError)) throw error;
    throw new CommandError(error.message, undefined, { cause: error });
  }
}
