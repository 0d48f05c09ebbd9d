import type { Clock } from '../../core/index.ts';
import { createCredentialCache } from '../credential-cache.ts';
import { CredentialError } from '../errors.ts';
import { type Credential, type CredentialProvider, IDENTITY_TOKEN_USER } from '../provider.ts';
import { canonicalRegistry } from '../registry-key.ts';
import { type DockerConfigEntry, parseDockerConfig } from './config-file.ts';
import { findHelper } from './find-helper.ts';
import type { DockerConfigOptions } from './options.ts';
import { runHelper } from './run-helper.ts';

export interface DockerConfigDependencies {
  readonly clock: Clock;
  /** Of the proxy's own process; that of the system when missing. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';

/**
 * The credential that a `config.json` of Docker or an `auth.json` of Podman has for the asked registry, or that the
 * helper has which the file leaves the registry to. What a helper says is kept for five minutes, and asked anew when the
 * registry turns it away.
 * @throws {CredentialOptionsError} when the file can't be read as such
 */
export function createDockerConfigProvider(
  options: DockerConfigOptions,
  { clock, environment = process.env }: DockerConfigDependencies,
): CredentialProvider {
  const { file, helperDirectories, helperEnvironment } = options;
  const config = parseDockerConfig(file.text(), file.path);
  const folders = helperDirectories ?? (environment.PATH ?? '').split(':');
  const handedOn = ['PATH', 'HOME', ...helperEnvironment];

  async function askHelper(registry: string, signal: AbortSignal): Promise<Credential | undefined> {
    const entry = config.entryFor(registry);
    if (entry?.type !== 'helper') return undefined;
    const login = await runHelper({
      program: await findHelper(entry.helper, folders),
      env: pick(environment, handedOn),
      registry: canonicalRegistry(registry) === 'docker.io' ? DOCKER_HUB_KEY : registry,
      signal,
    });
    if (login?.username.includes(':')) {
      throw new CredentialError(`docker-credential-${entry.helper} gave a user name with a colon`);
    }
    return login && { username: login.username, password: login.secret };
  }

  const cache = createCredentialCache(askHelper, { clock });
  return {
    type: 'docker-config',
    credential: async ({ registry, signal }) => {
      const entry = config.entryFor(registry);
      if (entry?.type === 'helper') return cache.get(registry, signal);
      return entry && credentialOf(entry);
    },
    discard: (credential) => cache.discard(credential),
    close: async () => cache.close(),
  };
}

/**
 * Whether the file has a login for the registry, or a helper to ask; the helper is not asked.
 * @throws {CredentialOptionsError} when the file can't be read as such
 */
export function hasDockerLogin({ file }: Pick<DockerConfigOptions, 'file'>, registry: string): boolean {
  return parseDockerConfig(file.text(), file.path).entryFor(registry) !== undefined;
}

function credentialOf(entry: Exclude<DockerConfigEntry, { type: 'helper' }>): Credential {
  return entry.type === 'password'
    ? { username: entry.username, password: entry.password }
    : { username: IDENTITY_TOKEN_USER, password: entry.token };
}

function pick(
  environment: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): Record<string, string> {
  const entries = names.flatMap((name): [string, string][] => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(entries);
}
