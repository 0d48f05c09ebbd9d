import { isLoopbackHost, Secret } from '../../core/index.ts';
import { createHttpClient, type HttpClient } from '../../network/index.ts';
import { createCredentialCache } from '../credential-cache.ts';
import { withFailurePause } from '../failure-pause.ts';
import { askService, textIn, wordsOf } from '../json-service.ts';
import type { Credential, CredentialProvider } from '../provider.ts';
import { requireRegistry } from '../registry-hosts.ts';
import { newTokenEnd } from '../token-claims.ts';
import { CredentialUnavailableError } from '../unavailable.ts';
import { AZURE_REGISTRIES, cloudOf } from './cloud.ts';
import { createEntraTokens, type EntraDependencies } from './entra-token.ts';
import type { AcrOptions } from './options.ts';

/** The user name that a registry's refresh token goes with. */
const NOBODY = '00000000-0000-0000-0000-000000000000';
const TIMEOUT_MS = 5_000;
const WHOLE_MS = 10_000;
const MAXIMUM_BYTES = 128 * 1024;

/**
 * A refresh token of the registry, for a token of Entra ID. It is shown as a password; access tokens are got with it where
 * the registry's challenge says.
 * @throws {CredentialOptionsError} for a secret or certificate that can't be used
 * @see https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
 */
export function createAcrProvider(options: AcrOptions, dependencies: EntraDependencies): CredentialProvider {
  const tokens = createEntraTokens(options, dependencies);
  const client = createHttpClient({ reach: 'any', timeoutMs: TIMEOUT_MS, maximumBytes: MAXIMUM_BYTES });
  let closing: Promise<unknown> | undefined;

  async function fetch(registry: string, signal: AbortSignal): Promise<Credential> {
    requireRegistry(registry, AZURE_REGISTRIES, options.registries, { type: 'acr', owner: 'Azure' });
    const { authority, registryResource } = cloudOf(registry);
    const entra = await tokens.token(options.resource ?? registryResource, authority, signal);
    const refresh = await exchange(client, registry, entra.token, signal);
    const expiresAt = newTokenEnd(refresh, dependencies.clock.now()) ?? entra.expiresAt;
    return { username: NOBODY, password: new Secret(refresh), expiresAt };
  }

  const cache = createCredentialCache(withFailurePause(fetch, dependencies), dependencies);

  return {
    type: 'acr',
    credential: ({ registry, signal }) => cache.get(registry, signal),
    discard: (credential) => cache.discard(credential),
    async close() {
      cache.close();
      closing ??= Promise.all([tokens.close(), client.close()]);
      await closing;
    },
  };
}

async function exchange(
  client: HttpClient,
  registry: string,
  accessToken: string,
  signal: AbortSignal,
): Promise<string> {
  const url = new URL(`https://${registry}/oauth2/exchange`);
  if (isLoopbackHost(url.hostname)) url.protocol = 'http:';
  const body = new URLSearchParams({
    grant_type: 'access_token',
    service: registry,
    access_token: accessToken,
  }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
  const answer = await askService(client, registry, url, { method: 'POST', headers, body, signal }, WHOLE_MS);
  const refresh = answer.status === 200 ? textIn(answer.body, 'refresh_token') : undefined;
  if (refresh !== undefined) return refresh;
  const words = answer.status === 200 ? 'no refresh token' : wordsOf(answer.body);
  const advice =
    answer.status === 401
      ? '; the identity is of another tenant than the registry, or the registry takes no such tokens (az acr config authentication-as-arm show)'
      : '';
  throw new CredentialUnavailableError(
    `${registry} answers the exchange of a token of Entra ID with ${answer.status}: ${words}${advice}`,
  );
}
