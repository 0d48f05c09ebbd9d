import { X509Certificate } from 'node:crypto';
import { createHttpClient } from '../../../network/index.ts';
import type { OidcVerifierOptions } from './options.ts';

/** The part of `fetch` that the OpenID client uses. */
export type ProviderFetch = (
  url: string,
  request: {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: unknown;
    readonly signal?: AbortSignal | undefined;
  },
) => Promise<Response>;

const TIMEOUT_MS = 5000;
const MAXIMUM_BYTES = 1024 * 1024;
/** These answers can't have a body, not even an empty one. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * Requests to the provider: bounded, and without redirects. The issuer's host may be anywhere, because the configuration
 * names it; hosts that only the discovery document names have to be public.
 */
export function createProviderFetch(
  options: Pick<OidcVerifierOptions, 'issuer' | 'certificateAuthorityFile'>,
) {
  const issuer = new URL(options.issuer);
  const certificateAuthority = options.certificateAuthorityFile?.text();
  // Otherwise an unusable file would show at the first sign-in only.
  if (certificateAuthority !== undefined) requireCertificate(certificateAuthority, options);
  const limits = {
    timeoutMs: TIMEOUT_MS,
    maximumBytes: MAXIMUM_BYTES,
    certificateAuthority,
  };
  const own = createHttpClient({ ...limits, reach: 'any' });
  const others = createHttpClient({ ...limits, reach: 'public' });
  const closed = new AbortController();

  const fetch: ProviderFetch = async (address, { method = 'GET', headers = {}, body, signal }) => {
    const url = new URL(address);
    const client = url.hostname === issuer.hostname ? own : others;
    const answer = await client.request(url, {
      method: method === 'POST' ? 'POST' : 'GET',
      headers: { ...headers },
      ...(body !== undefined && body !== null && { body: String(body) }),
      signal: AbortSignal.any([closed.signal, AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])]),
    });
    const flat = Object.entries(answer.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)] as [string, string]],
    );
    const content = BODILESS.has(answer.status) ? null : new Uint8Array(answer.body);
    return new Response(content, { status: answer.status, headers: flat });
  };

  return {
    fetch,
    async close(): Promise<void> {
      closed.abort(new Error('the verifier is closed'));
      await Promise.all([own.close(), others.close()]);
    },
  };
}

function requireCertificate(
  pem: string,
  { certificateAuthorityFile }: Pick<OidcVerifierOptions, 'certificateAuthorityFile'>,
): void {
  try {
    new X509Certificate(pem);
  } catch (cause) {
    throw new Error(`${certificateAuthorityFile?.path} holds no PEM certificate`, { cause });
  }
}
