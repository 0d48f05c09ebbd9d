import { backoffDelayMs, type Clock } from '../../core/index.ts';
import type { HttpClient } from '../../network/index.ts';
import { askService, type JsonAnswer, textIn, wordsOf } from '../json-service.ts';
import { CredentialUnavailableError } from '../unavailable.ts';
import type { EntraToken } from './entra-token.ts';
import { instanceMetadataUrl } from './instance-metadata.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface ManagedIdentityDependencies {
  readonly clock: Clock;
  readonly env: Environment;
  readonly client: HttpClient;
}

/** Tokens for the machine, or for the app that Azure runs. */
export interface ManagedIdentity {
  /** @param clientId of one of several identities; without, the only one or the machine's own */
  token(resource: string, clientId: string | undefined, signal: AbortSignal): Promise<EntraToken>;
}

const WHOLE_MS = 3_000;
const ATTEMPTS = 4;
const BACKOFF = { baseMs: 500, capMs: 4_000 };
/** 404 and 410 come while the service is being updated. */
const PASSING = [404, 410, 429];

/**
 * @see https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
 * @see https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
 */
export function createManagedIdentity({ clock, env, client }: ManagedIdentityDependencies): ManagedIdentity {
  return {
    async token(resource, clientId, signal) {
      const { url, headers, service } = endpointFor(env);
      url.searchParams.set('resource', resource);
      if (clientId !== undefined) url.searchParams.set('client_id', clientId);
      for (let attempt = 1; ; attempt += 1) {
        const answer = await askService(client, service, url, { headers, signal }, WHOLE_MS).catch(
          (cause: unknown) => {
            signal.throwIfAborted();
            throw new CredentialUnavailableError(
              `${cause instanceof Error ? cause.message : service}: this machine is not on Azure, or may not reach it; elsewhere, give the service principal a secret, a certificate or a federated token`,
              { cause },
            );
          },
        );
        if (answer.status === 200) return readToken(answer, clock.now());
        const isPassing = PASSING.includes(answer.status) || answer.status >= 500;
        if (!isPassing || attempt === ATTEMPTS) throw refusal(service, answer);
        await clock.sleep(backoffDelayMs(attempt, BACKOFF, Math.random), signal);
      }
    },
  };
}

function endpointFor(env: Environment) {
  const { IDENTITY_ENDPOINT: endpoint, IDENTITY_HEADER: header } = env;
  if (endpoint && header) {
    const url = new URL(endpoint);
    url.searchParams.set('api-version', '2019-08-01');
    const headers = { 'x-identity-header': header };
    return { url, headers, service: 'the managed identity endpoint of the app' };
  }
  const url = instanceMetadataUrl(env, '/metadata/identity/oauth2/token');
  url.searchParams.set('api-version', '2018-02-01');
  return { url, headers: { metadata: 'true' }, service: 'the Azure instance metadata service' };
}

function readToken({ body }: JsonAnswer, now: number): EntraToken {
  const token = textIn(body, 'access_token');
  // What is left of it says more than the time by another clock; apps are told the time only.
  const left = Number(body.expires_in) * 1000;
  const expiresAt = Number.isFinite(left) ? now + left : Number(body.expires_on) * 1000;
  if (token !== undefined && Number.isFinite(expiresAt)) return { token, expiresAt };
  throw new CredentialUnavailableError('the answer of the managed identity endpoint holds no access token');
}

function refusal(service: string, { status, body }: JsonAnswer): CredentialUnavailableError {
  const words = wordsOf(body);
  const advice = /identity not found|no managed identity|multiple/i.test(words)
    ? '; assign a managed identity to the machine or app, and name its clientId where it has several'
    : '';
  return new CredentialUnavailableError(`${service} answers ${status}: ${words}${advice}`);
}
