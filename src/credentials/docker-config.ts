import { type DockerConfigEntry, parseDockerConfig } from './docker-config-file.ts';
import { CredentialOptionsError } from './errors.ts';
import type { CredentialOptions } from './options.ts';
import type { Credential, CredentialProvider } from './provider.ts';
import { canonicalRegistry } from './registry-key.ts';

type DockerConfigOptions = Extract<CredentialOptions, { type: 'docker-config' }>;

/**
 * The credential that a `config.json` of Docker or an `auth.json` of Podman holds for the asked registry.
 * @throws {CredentialOptionsError} when the file can't be read as such
 */
export function createDockerConfigProvider({ file }: DockerConfigOptions): CredentialProvider {
  const entries = parseDockerConfig(file.text(), file.path);
  return {
    type: 'docker-config',
    credential: async ({ registry }) => {
      const entry = entries.get(canonicalRegistry(registry) ?? registry);
      return entry && usableCredential(entry, registry, file.path);
    },
    close: async () => {},
  };
}

function usableCredential(entry: DockerConfigEntry, registry: string, path: string): Credential {
  switch (entry.type) {
    case 'password':
      return { username: entry.username, password: entry.password };
    case 'identity-token':
      throw new CredentialOptionsError(
        `${path} holds an identity token for ${registry}, which is not supported; log in with a user name and a password`,
      );
    case 'helper':
      throw new CredentialOptionsError(
        `${path} leaves ${registry} to the credential helper ${entry.helper}, and helpers are not supported; use type: static, or a file with the credential itself`,
      );
  }
}
