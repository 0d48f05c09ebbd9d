import type { Clock } from '../../core/index.ts';
import { createHttpClient } from '../../network/index.ts';
import { createCredentialCache } from '../credential-cache.ts';
import type { CredentialProvider } from '../provider.ts';
import { readToken } from '../read-password.ts';
import { createFixedProvider } from '../static.ts';
import { createAppTokens } from './app-token.ts';
import type { GhcrOptions, GitHubAppOptions } from './options.ts';

const ANY_NAME = 'token';
const TIMEOUT_MS = 10_000;
const MAXIMUM_ANSWER_BYTES = 256 * 1024;
/** GitHub refuses requests without one. */
const USER_AGENT = 'docker-registry-proxy';

/**
 * A personal access token, or tokens of a GitHub App, each renewed before its hour is over.
 * @throws {CredentialOptionsError} when a file does not hold a token or an RSA key
 */
export function createGhcrProvider(
  options: GhcrOptions,
  dependencies: { readonly clock: Clock },
): CredentialProvider {
  if (options.app) return createAppProvider(options.app, dependencies);
  return createFixedProvider('ghcr', {
    username: options.username ?? ANY_NAME,
    password: readToken(options),
  });
}

function createAppProvider(
  options: GitHubAppOptions,
  { clock }: { readonly clock: Clock },
): CredentialProvider {
  const http = createHttpClient({
    // The configuration names the host.
    reach: 'any',
    timeoutMs: TIMEOUT_MS,
    maximumBytes: MAXIMUM_ANSWER_BYTES,
    certificateAuthority: options.certificateAuthorityFile?.text(),
  });
  const fetch = createAppTokens(options, { clock, http, userAgent: USER_AGENT });
  const cache = createCredentialCache((_registry, signal) => fetch(signal), { clock });
  let closed: Promise<void> | undefined;
  return {
    type: 'ghcr',
    credential: ({ registry, signal }) => cache.get(registry, signal),
    discard: (credential) => cache.discard(credential),
    close() {
      cache.close();
      closed ??= http.close();
      return closed;
    },
  };
}
