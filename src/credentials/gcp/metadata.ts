import { backoffDelayMs, type Clock } from '../../core/index.ts';
import { createHttpClient } from '../../network/index.ts';
import { isRecord } from '../../oci/index.ts';
import { CredentialUnavailableError } from '../unavailable.ts';
import type { AccessToken } from './access-token.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The metadata server of Google's machines, and of GKE's pods with Workload Identity. */
export interface GoogleMetadata {
  accessToken(signal: AbortSignal): Promise<AccessToken>;
  /** A JWT that says which machine and which service account this is. */
  identityToken(audience: string, signal: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

export interface MetadataDependencies {
  readonly env: Environment;
  readonly clock: Clock;
}

/** By address: a name would have to be resolved, and a resolver may lie. */
const DEFAULT_HOST = '169.254.169.254';
const TIMEOUT_MS = 2_000;
const MAXIMUM_BYTES = 64 * 1024;
const ATTEMPTS = 3;
const BACKOFF = { baseMs: 250, capMs: 1_000 };
const ACCOUNT = '/computeMetadata/v1/instance/service-accounts/default';
const FLAVOR = 'Google';

/**
 * @see https://cloud.google.com/compute/docs/metadata/querying-metadata
 * @see https://cloud.google.com/compute/docs/instances/verifying-instance-identity
 */
export function createGoogleMetadata({ env, clock }: MetadataDependencies): GoogleMetadata {
  const host = env.GCE_METADATA_HOST || env.GCE_METADATA_IP || DEFAULT_HOST;
  const client = createHttpClient({ reach: 'any', timeoutMs: TIMEOUT_MS, maximumBytes: MAXIMUM_BYTES });
  let closing: Promise<void> | undefined;

  async function ask(path: string, signal: AbortSignal): Promise<string> {
    for (let attempt = 1; ; attempt += 1) {
      const { status, text, isGoogle } = await send(path, signal);
      if (!isGoogle) {
        throw new CredentialUnavailableError(
          `${host} answers, but is no metadata server of Google's (no Metadata-Flavor): this machine is not on Google Cloud, or something stands between`,
        );
      }
      if (status === 200) return text;
      if (status !== 429 && status < 500) throw refusal(status);
      if (attempt === ATTEMPTS) {
        throw new CredentialUnavailableError(`the metadata server answers ${status}, ${ATTEMPTS} times`);
      }
      await clock.sleep(backoffDelayMs(attempt, BACKOFF, Math.random), signal);
    }
  }

  async function send(path: string, signal: AbortSignal) {
    const late = AbortSignal.timeout(TIMEOUT_MS);
    try {
      const answer = await client.request(new URL(`http://${host}${path}`), {
        headers: { 'metadata-flavor': FLAVOR },
        signal: AbortSignal.any([signal, late]),
      });
      const isGoogle = answer.headers['metadata-flavor'] === FLAVOR;
      return { status: answer.status, text: answer.body.toString('utf8').trim(), isGoogle };
    } catch (cause) {
      signal.throwIfAborted();
      throw new CredentialUnavailableError(
        `the metadata server at ${host} does not answer: this machine is not on Google Cloud, or a firewall or network policy is in the way. Elsewhere, name a credentialsFile`,
        { cause },
      );
    }
  }

  return {
    async accessToken(signal) {
      const answer = parseToken(await ask(`${ACCOUNT}/token`, signal));
      if (!answer) throw new CredentialUnavailableError("the metadata server's answer holds no access token");
      return { token: answer.token, expiresAt: clock.now() + answer.seconds * 1000 };
    },
    async identityToken(audience, signal) {
      const token = await ask(
        `${ACCOUNT}/identity?audience=${encodeURIComponent(audience)}&format=full`,
        signal,
      );
      if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return token;
      throw new CredentialUnavailableError("the metadata server's answer is no identity token");
    },
    async close() {
      closing ??= client.close();
      await closing;
    },
  };
}

function parseToken(text: string): { token: string; seconds: number } | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    if (!isRecord(answer) || typeof answer.access_token !== 'string') return undefined;
    return typeof answer.expires_in === 'number'
      ? { token: answer.access_token, seconds: answer.expires_in }
      : undefined;
  } catch {
    return undefined;
  }
}

function refusal(status: number): CredentialUnavailableError {
  if (status === 404) {
    return new CredentialUnavailableError(
      'the metadata server has no service account for this machine: attach one to the instance (or, on GKE, to the Kubernetes service account)',
    );
  }
  if (status === 403) {
    return new CredentialUnavailableError(
      'the metadata server refuses (403): on GKE, the Kubernetes service account may not act as the Google one; it needs roles/iam.workloadIdentityUser there',
    );
  }
  return new CredentialUnavailableError(`the metadata server answers ${status}`);
}
