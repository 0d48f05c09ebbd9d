import type { HttpClient } from '../../network/index.ts';
import { CredentialUnavailableError } from '../unavailable.ts';
import type { ExternalAccount } from './credentials-file.ts';

/** The token of another cloud or issuer that an external account stands on. */
export type SubjectTokenSource = (account: ExternalAccount, signal: AbortSignal) => Promise<string>;

/**
 * Reads the subject token by Google's library, which knows the kinds of sources (files, URLs, AWS, programs) and their
 * formats; its requests go through our client.
 */
export function createSubjectTokenSource(client: HttpClient): SubjectTokenSource {
  return async (account, signal) => {
    if (Object.hasOwn(account.credential_source, 'certificate')) {
      throw new CredentialUnavailableError(
        'workload identity federation by client certificates is not supported: use a file, a URL, AWS or a program as credential_source',
      );
    }
    const { ExternalAccountClient } = await import('google-auth-library');
    const transporterOptions = { fetchImplementation: fetchThrough(client, signal) };
    try {
      const source = ExternalAccountClient.fromJSON({ ...account, transporterOptions } as Parameters<
        typeof ExternalAccountClient.fromJSON
      >[0]);
      if (!source) throw new Error('of no kind that is known');
      return await source.retrieveSubjectToken();
    } catch (error) {
      signal.throwIfAborted();
      // The error holds the request with all its headers; its words alone are kept.
      const words = error instanceof Error ? error.message.replace(/\p{Cc}+/gu, ' ').slice(0, 300) : '';
      throw new CredentialUnavailableError(`the credential_source gives no token: ${words}`);
    }
  };
}

function fetchThrough(client: HttpClient, signal: AbortSignal): typeof fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const method = init?.method ?? 'GET';
    if (method !== 'GET' && method !== 'PUT' && method !== 'POST') {
      throw new TypeError(`${method} is not sent`);
    }
    const { status, headers, body } = await client.request(url, {
      method,
      headers: Object.fromEntries(new Headers(init?.headers)),
      ...(typeof init?.body === 'string' && { body: init.body }),
      signal,
    });
    const flat = Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)] as [string, string]],
    );
    const isEmpty = status === 204 || status === 304;
    return new Response(isEmpty ? null : new Uint8Array(body), { status, headers: flat });
  };
}
