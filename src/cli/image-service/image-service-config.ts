import { type Environment, type Finding, type LoadedConfig, loadConfig } from '../../config/index.ts';
import { systemClock } from '../../core/index.ts';
import {
  createPullCredentials,
  type ImageServiceOptions,
  imageServiceOptions,
  isSamePlace,
} from '../../kubelet/image-service/index.ts';
import { createLogger } from '../../telemetry/index.ts';

/**
 * The configuration of the image service from a file, checked down to the contents of the files that it names.
 * @throws {ConfigError}
 */
export function loadImageServiceConfig(
  file: string,
  env: Environment = process.env,
): Promise<LoadedConfig<ImageServiceOptions>> {
  return loadConfig(file, imageServiceOptions, { env, check: findProblems });
}

async function findProblems(options: ImageServiceOptions): Promise<readonly Finding[]> {
  return [...(await findLoop(options)), ...(await findProviderProblems(options))];
}

/** Calls would go round in a circle and never end. */
async function findLoop({ socket, backend }: ImageServiceOptions): Promise<readonly Finding[]> {
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
