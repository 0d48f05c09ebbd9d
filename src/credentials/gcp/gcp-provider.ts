import { readFile } from 'node:fs/promises';
import { type Clock, Secret } from '../../core/index.ts';
import { createHttpClient, type HttpClient } from '../../network/index.ts';
import { createCredentialCache } from '../credential-cache.ts';
import { withFailurePause } from '../failure-pause.ts';
import type { Credential, CredentialProvider } from '../provider.ts';
import { requireRegistry } from '../registry-hosts.ts';
import { tokenEnd } from '../token-claims.ts';
import { CredentialUnavailableError } from '../unavailable.ts';
import type { AccessToken } from './access-token.ts';
import { type CredentialsFile, parseCredentialsFile } from './credentials-file.ts';
import { createGoogleMetadata } from './metadata.ts';
import type { GcpOptions } from './options.ts';
import { createSubjectTokenSource } from './subject-token.ts';
import { createTokenService } from './token-service.ts';

export interface GcpDependencies {
  readonly clock: Clock;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Reaches Google's services. */
  readonly client?: HttpClient;
}

const REGISTRIES = /^(?:[a-z0-9-]+\.)?gcr\.io$|^[a-z0-9-]+\.pkg\.dev$/;
const IAM = 'https://iamcredentials.googleapis.com';
const ANY_USE = 'https://www.googleapis.com/auth/cloud-platform';
const TIMEOUT_MS = 5_000;
const MAXIMUM_BYTES = 256 * 1024;

/**
 * Google's access tokens for its registries, or, with an audience, identity tokens for a proxy. Every token comes from
 * a chain of at most three links: the machine, a key or another cloud's token; the exchange; the impersonation.
 * @throws {CredentialOptionsError} for a credentials file that is none
 */
export function createGcpProvider(options: GcpOptions, dependencies: GcpDependencies): CredentialProvider {
  const { clock, env = process.env } = dependencies;
  const { credentialsFile, impersonate, scope, audience, username = '_gcp' } = options;
  const client =
    dependencies.client ??
    createHttpClient({ reach: 'any', timeoutMs: TIMEOUT_MS, maximumBytes: MAXIMUM_BYTES });
  const now = () => clock.now();
  const metadata = createGoogleMetadata({ env, clock });
  const service = createTokenService({ client, now });
  const subjectToken = createSubjectTokenSource(client);
  const named = credentialsFile && parseCredentialsFile(credentialsFile.text(), credentialsFile.path);
  let closing: Promise<unknown> | undefined;

  async function fileToUse(): Promise<CredentialsFile | undefined> {
    const path = env.GOOGLE_APPLICATION_CREDENTIALS;
    if (named || !path) return named;
    const content = await readFile(path, 'utf8').catch((cause: unknown) => {
      throw new CredentialUnavailableError(
        `GOOGLE_APPLICATION_CREDENTIALS names ${path}, which can't be read`,
        { cause },
      );
    });
    return parseCredentialsFile(content, path);
  }

  async function ownToken(
    file: CredentialsFile | undefined,
    wanted: string,
    signal: AbortSignal,
  ): Promise<AccessToken> {
    if (!file) return metadata.accessToken(signal);
    if (file.type === 'service_account') return service.accessTokenOf(file, wanted, signal);
    const { service_account_impersonation_url: url } = file;
    const subject = await subjectToken(file, signal);
    const federated = await service.exchange(file, subject, url === undefined ? wanted : ANY_USE, signal);
    return url === undefined ? federated : service.impersonate(new URL(url), federated, wanted, signal);
  }

  async function accessToken(signal: AbortSignal): Promise<AccessToken> {
    const file = await fileToUse();
    if (impersonate === undefined) return ownToken(file, scope, signal);
    const own = await ownToken(file, ANY_USE, signal);
    return service.impersonate(accountUrl(impersonate, 'generateAccessToken'), own, scope, signal);
  }

  async function identityToken(target: string, signal: AbortSignal): Promise<string> {
    const file = await fileToUse();
    if (impersonate !== undefined) {
      const own = await ownToken(file, ANY_USE, signal);
      return service.impersonateFor(accountUrl(impersonate, 'generateIdToken'), own, target, signal);
    }
    if (!file) return metadata.identityToken(target, signal);
    if (file.type === 'service_account') return service.identityTokenOf(file, target, signal);
    throw new CredentialUnavailableError(
      'workload identity federation gives no identity token by itself: name a service account in impersonate',
    );
  }

  async function fetch(registry: string, signal: AbortSignal): Promise<Credential> {
    if (audience === undefined) {
      requireRegistry(registry, REGISTRIES, options.registries, { type: 'gcp', owner: 'Google' });
      const { token, expiresAt } = await accessToken(signal);
      return { username: 'oauth2accesstoken', password: new Secret(token), expiresAt };
    }
    const token = await identityToken(audience, signal);
    const expiresAt = tokenEnd(token);
    return { username, password: new Secret(token), ...(expiresAt !== undefined && { expiresAt }) };
  }

  const cache = createCredentialCache(withFailurePause(fetch, dependencies), dependencies);

  return {
    type: 'gcp',
    credential: ({ registry, signal }) => cache.get(registry, signal),
    discard: (credential) => cache.discard(credential),
    async close() {
      cache.close();
      closing ??= Promise.all([metadata.close(), client.close()]);
      await closing;
    },
  };
}

function accountUrl(account: string, call: string): URL {
  return new URL(`${IAM}/v1/projects/-/serviceAccounts/${account}:${call}`);
}
