import { type Environment, type Finding, type LoadedConfig, loadConfig } from '../../config/index.ts';
import { systemClock } from '../../core/index.ts';
import {
  createPullCredentials,
  type ImageServiceOptions,
  imageServiceOptions,
  isSamePlace,
} from '../../kubelet/image-service/index.ts';
import { createLogger } from '../../telemetry/index.ts';

export interface LoadSettings {
  readonly env?: Environment;
  /** The socket of a process that serves already; that of the file when missing. */
  readonly listensOn?: string;
}

/**
 * The configuration of the image service from a file, checked down to the contents of the files that it names.
 * @throws {ConfigError}
 */
export function loadImageServiceConfig(
  file: string,
  { env = process.env, listensOn }: LoadSettings = {},
): Promise<LoadedConfig<ImageServiceOptions>> {
  return loadConfig(file, imageServiceOptions, {
    env,
    check: async (options) => [
      ...(await findLoop(listensOn ?? options.socket, options)),
      ...(await findProviderProblems(options)),
    ],
  });
}

/** Calls would go round in a circle and never end. */
async function findLoop(socket: string, { backend }: ImageServiceOptions): Promise<readonly Finding[]> {
  if (!(await isSamePlace(socket, backend.socket))) return [];
  return [{ path: ['backend', 'socket'], message: 'is our own socket: name that of the runtime' }];
}

/** What only a provider itself can say. Each rule is tried alone, so that all problems are found. */
async function findProviderProblems({ credentials }: ImageServiceOptions): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [index, rule] of credentials.entries()) {
    try {
      const dependencies = { clock: systemClock, log: createLogger('silent') };
      await createPullCredentials([rule], dependencies).close();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      findings.push({ path: ['credentials', index, 'provider'], message });
    }
  }
  return findings;
}
