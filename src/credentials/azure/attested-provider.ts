import type { Clock } from '../../core/index.ts';
import { attestationNonce, formatAttestedProof } from '../../machine-identity/index.ts';
import { createHttpClient } from '../../network/index.ts';
import { createCredentialCache } from '../credential-cache.ts';
import { withFailurePause } from '../failure-pause.ts';
import { askService, textIn, wordsOf } from '../json-service.ts';
import { keepNonce } from '../nonce-file.ts';
import type { Credential, CredentialProvider } from '../provider.ts';
import { CredentialUnavailableError } from '../unavailable.ts';
import { instanceMetadataUrl } from './instance-metadata.ts';
import type { AzureAttestedOptions } from './options.ts';

export interface AttestedDependencies {
  readonly clock: Clock;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const TIMEOUT_MS = 2_000;
const WHOLE_MS = 3_000;
const MAXIMUM_BYTES = 64 * 1024;
const API_VERSION = '2021-02-01';
/** Verifiers take older ones, too; a fresh one costs little. */
const USE_MS = 5 * 60_000;

/**
 * A document that Azure's metadata service signs for this machine, with the nonce that the machine keeps.
 * @see https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service#attested-data
 */
export function createAzureAttestedProvider(
  options: AzureAttestedOptions,
  { clock, env = process.env }: AttestedDependencies,
): CredentialProvider {
  const { audience, username, nonceFile } = options;
  const client = createHttpClient({ reach: 'any', timeoutMs: TIMEOUT_MS, maximumBytes: MAXIMUM_BYTES });
  let closing: Promise<void> | undefined;

  async function fetch(_registry: string, signal: AbortSignal): Promise<Credential> {
    const nonce = await keepNonce(nonceFile);
    const document = await attestedDocument(attestationNonce(nonce, audience), signal);
    const password = formatAttestedProof({ document, nonce });
    return { username, password, expiresAt: clock.now() + USE_MS };
  }

  async function attestedDocument(nonce: string, signal: AbortSignal): Promise<string> {
    const url = instanceMetadataUrl(env, '/metadata/attested/document');
    url.searchParams.set('api-version', API_VERSION);
    url.searchParams.set('nonce', nonce);
    const service = 'the Azure instance metadata service';
    const answer = await askService(
      client,
      service,
      url,
      { headers: { metadata: 'true' }, signal },
      WHOLE_MS,
    );
    const document = answer.status === 200 ? textIn(answer.body, 'signature') : undefined;
    if (document !== undefined) return document;
    throw new CredentialUnavailableError(
      `${service} gives no attested document (${answer.status}: ${wordsOf(answer.body)}); only virtual machines have one`,
    );
  }

  const cache = createCredentialCache(withFailurePause(fetch, { clock }), { clock });
  return {
    type: 'azure-attested',
    credential: ({ registry, signal }) => cache.get(registry, signal),
    discard: (credential) => cache.discard(credential),
    async close() {
      cache.close();
      closing ??= client.close();
      await closing;
    },
  };
}
