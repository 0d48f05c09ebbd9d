import type { Clock } from '../../core/index.ts';
import { createHttpClient } from '../../network/index.ts';
import { CredentialUnavailableError } from '../unavailable.ts';
import { readClientProof } from './client-proof.ts';
import { createManagedIdentity } from './managed-identity.ts';
import type { EntraOptions } from './options.ts';
import { requestClientToken } from './service-principal.ts';

/** An access token of Entra ID. */
export interface EntraToken {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface EntraDependencies {
  readonly clock: Clock;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Gets tokens of Entra ID for whoever this machine, pod or program is. */
export interface EntraTokens {
  /** @param authority of the cloud; options and environment go before it */
  token(resource: string, authority: string, signal: AbortSignal): Promise<EntraToken>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 5_000;
const MAXIMUM_BYTES = 128 * 1024;

/**
 * A service principal where the options give it a proof; the workload identity that AKS puts into a pod's environment;
 * else the managed identity of the machine.
 * @throws {CredentialOptionsError} for a secret or certificate that can't be used
 */
export function createEntraTokens(options: EntraOptions, dependencies: EntraDependencies): EntraTokens {
  const { clock, env = process.env } = dependencies;
  const tenantId = options.tenantId ?? (env.AZURE_TENANT_ID || undefined);
  const clientId = options.clientId ?? (env.AZURE_CLIENT_ID || undefined);
  const proof = readClientProof(options, env);
  const client = createHttpClient({ reach: 'any', timeoutMs: TIMEOUT_MS, maximumBytes: MAXIMUM_BYTES });
  const managed = createManagedIdentity({ clock, env, client });
  let closing: Promise<void> | undefined;
  return {
    async token(resource, authority, signal) {
      if (!proof) return managed.token(resource, clientId, signal);
      if (tenantId === undefined || clientId === undefined) {
        throw new CredentialUnavailableError(
          'a service principal needs tenantId and clientId, or AZURE_TENANT_ID and AZURE_CLIENT_ID in the environment',
        );
      }
      const base = options.authority ?? (env.AZURE_AUTHORITY_HOST || authority);
      const principal = { tenantId, clientId, authority: base.replace(/\/$/, ''), proof };
      return requestClientToken(principal, resource, { client, clock }, signal);
    },
    async close() {
      closing ??= client.close();
      await closing;
    },
  };
}
