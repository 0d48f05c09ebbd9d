import { X509Certificate } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Clock, parseUrl } from '../../../core/index.ts';
import type { HttpClient } from '../../../network/index.ts';
import { withinTime } from '../time-limit.ts';

/** Where the certificates between a signer and a root come from. */
export interface IntermediateSource {
  /**
   * Those that may have issued this certificate.
   * @throws when they can't be had now
   */
  issuersOf(certificate: X509Certificate): Promise<readonly X509Certificate[]>;
  close(): Promise<void>;
}

export interface FetchDependencies {
  readonly client: HttpClient;
  readonly clock: Clock;
}

const HOST = 'www.microsoft.com';
const PATH = /^\/pki(?:ops)?\/(?:[A-Za-z0-9 _.-]|%20)+(?:\/(?:[A-Za-z0-9 _.-]|%20)+)*\.(?:crt|cer)$/;
const MAXIMUM_URL_LENGTH = 300;
const TIME_LIMIT_MS = 6_000;
const KEPT = 50;
const KEEP_MS = 24 * 60 * 60_000;
/** Whoever makes up addresses is not to have each of them fetched over and over. */
const FAILURE_KEEP_MS = 60_000;

/** Certificates that the operator has given; nothing is fetched. */
export function createGivenIntermediates(certificates: readonly X509Certificate[]): IntermediateSource {
  return { issuersOf: async () => certificates, close: async () => undefined };
}

/**
 * Certificates from where the signer's own says that its issuer's is, which anybody could have written: so only from
 * Microsoft's host, over https, without a redirect.
 */
export function createFetchedIntermediates({ client, clock }: FetchDependencies): IntermediateSource {
  const closed = new AbortController();
  const known = new LRUCache<
    string,
    { readonly until: number; readonly certificate: X509Certificate | Error }
  >({
    max: KEPT,
  });
  const running = new Map<string, Promise<X509Certificate>>();

  async function fetchNow(url: URL): Promise<X509Certificate> {
    try {
      const certificate = await withinTime(TIME_LIMIT_MS, clock, closed.signal, async (signal) => {
        const { status, body } = await client.request(url, { signal });
        if (status !== 200) throw new Error(`${url.href} answered ${status}`);
        return new X509Certificate(body);
      });
      known.set(url.href, { certificate, until: clock.now() + KEEP_MS });
      return certificate;
    } catch (cause) {
      const failure = new Error(`the certificate at ${url.href} can't be had`, { cause });
      known.set(url.href, { certificate: failure, until: clock.now() + FAILURE_KEEP_MS });
      throw failure;
    } finally {
      running.delete(url.href);
    }
  }

  return {
    async issuersOf(certificate) {
      const url = issuerUrl(certificate);
      if (!url) return [];
      const kept = known.get(url.href);
      if (kept && kept.until > clock.now()) {
        if (kept.certificate instanceof Error) throw kept.certificate;
        return [kept.certificate];
      }
      const fetched = running.get(url.href) ?? fetchNow(url);
      running.set(url.href, fetched);
      return [await fetched];
    },
    async close() {
      closed.abort(new Error('the verifier is closed'));
      await client.close();
    },
  };
}

/**
 * The address of the issuer's certificate, if it is one that may be asked.
 * @see RFC 5280, section 4.2.2.1
 */
export function issuerUrl({ infoAccess }: X509Certificate): URL | undefined {
  const texts = (infoAccess ?? '')
    .split('\n')
    .filter((line) => line.startsWith('CA Issuers - URI:'))
    .map((line) => line.slice('CA Issuers - URI:'.length));
  return texts.map(allowedUrl).find((url) => url !== undefined);
}

function allowedUrl(text: string): URL | undefined {
  const url = text.length <= MAXIMUM_URL_LENGTH ? parseUrl(text) : undefined;
  const isPlain =
    url !== undefined &&
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.hostname === HOST &&
    url.username + url.password + url.port + url.search + url.hash === '';
  if (!isPlain || !PATH.test(url.pathname)) return undefined;
  url.protocol = 'https:';
  return url;
}
