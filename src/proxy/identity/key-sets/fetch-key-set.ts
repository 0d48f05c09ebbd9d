import type { FileReference } from '../../../core/index.ts';
import { parseUrl } from '../../../core/index.ts';
import { createHttpClient, type HostLookup, type HttpClient } from '../../../network/index.ts';
import { isRecord } from '../../../oci/index.ts';
import { certificateAuthorityOf } from '../certificate-authority.ts';
import { KeySetError } from './errors.ts';

/** Where a key set is to be fetched. */
export interface KeySetLocation {
  /** The key set itself; without it, the issuer says where it is. */
  readonly jwksUrl?: string | undefined;
  readonly issuer?: string | undefined;
  readonly certificateAuthorityFile?: FileReference | undefined;
  /** Shown as a bearer token to the host that the configuration names, and to no other. */
  readonly tokenFile?: FileReference | undefined;
}

export interface KeySetFetcher {
  /** @returns the text of the key set @throws {KeySetError} or what the network says */
  fetch(signal: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 5_000;
const MAXIMUM_BYTES = 512 * 1024;

/**
 * Fetches key sets. The host that the configuration names may be anywhere; a key set that the issuer's document puts
 * somewhere else has to be at a public address, over https.
 */
export function createKeySetFetcher(location: KeySetLocation, resolve?: HostLookup): KeySetFetcher {
  const limits = { timeoutMs: TIMEOUT_MS, maximumBytes: MAXIMUM_BYTES, ...(resolve && { resolve }) };
  const named = createHttpClient({
    ...limits,
    reach: 'any',
    certificateAuthority: certificateAuthorityOf(location.certificateAuthorityFile),
  });
  const elsewhere = createHttpClient({ ...limits, reach: 'public' });
  const token = location.tokenFile?.text().trim();
  const authorization: Record<string, string> =
    token === undefined ? {} : { authorization: `Bearer ${token}` };
  let closing: Promise<unknown> | undefined;

  async function discover(issuer: string, signal: AbortSignal): Promise<URL> {
    const url = new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
    const document = parseObject(await read(named, url, authorization, signal));
    if (document.issuer !== issuer) {
      throw new KeySetError(`the document at ${url.href} is of another issuer`);
    }
    const keys = typeof document.jwks_uri === 'string' ? parseUrl(document.jwks_uri) : undefined;
    if (!keys || !/^https?:$/.test(keys.protocol)) {
      throw new KeySetError(`the document at ${url.href} names no jwks_uri`);
    }
    return keys;
  }

  return {
    async fetch(signal) {
      if (location.jwksUrl !== undefined) {
        return read(named, new URL(location.jwksUrl), authorization, signal);
      }
      const issuer = location.issuer ?? '';
      const keys = await discover(issuer, signal);
      return keys.origin === new URL(issuer).origin
        ? read(named, keys, authorization, signal)
        : read(elsewhere, keys, {}, signal);
    },
    async close() {
      closing ??= Promise.all([named.close(), elsewhere.close()]);
      await closing;
    },
  };
}

async function read(
  client: HttpClient,
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string> {
  const { status, body } = await client.request(url, {
    headers: { accept: 'application/json', ...headers },
    signal,
  });
  if (status !== 200) throw new KeySetError(`${url.origin}${url.pathname} answered ${status}`);
  return body.toString('utf8');
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch {
    // Said below: what JSON.parse says quotes the answer.
  }
  throw new KeySetError("the issuer's document is no JSON object");
}
