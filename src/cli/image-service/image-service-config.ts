import { type Environment, type Finding, type LoadedConfig, loadConfig } from '../../config/index.ts';
import { systemClock } from '../../core/index.ts';
import {
  createPullCredentials,
  type ImageServiceOptions,
  imageServiceOptions,
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

/** What only a provider itself can say. Each rule is tried alone, so that all problems are found. */
async function findProblems(options: ImageServiceOptions): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [index, rule] of options.credentials.entries()) {
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
