import { STS_REQUEST_BODY, type StsProof, stsRequestHeaders } from '../../../../machine-identity/index.ts';
import { createHttpClient } from '../../../../network/index.ts';
import { isRecord } from '../../../../oci/index.ts';
import { type Caller, parseCaller } from './caller.ts';

/** What AWS says of a signed request. */
export type StsAnswer =
  | { readonly type: 'caller'; readonly caller: Caller }
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'cannot-tell'; readonly reason: string };

export interface StsClient {
  /**
   * @param proof whose host was found to be one of AWS
   * @throws when the service is out of reach
   */
  ask(proof: StsProof, signal: AbortSignal): Promise<StsAnswer>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 5_000;
const MAXIMUM_BYTES = 64 * 1024;

/** What is wrong with the request, in the words of AWS; anything else says nothing of who signed it. */
const REFUSALS: Readonly<Record<string, string>> = {
  SignatureDoesNotMatch:
    'AWS says that the signature is not right: other keys, another audience, or a clock that is off',
  InvalidClientTokenId: 'AWS does not know the access key, or its session token',
  ExpiredToken: 'the credentials that signed have expired',
  ExpiredTokenException: 'the credentials that signed have expired',
  IncompleteSignature: 'AWS says that the signature is incomplete',
  MissingAuthenticationToken: 'AWS says that the signature is incomplete',
  UnrecognizedClientException: 'AWS does not know the access key',
  AccessDenied: 'AWS denies the call to whoever signed',
  AccessDeniedException: 'AWS denies the call to whoever signed',
};

/**
 * Sends the request that was signed, put together from its parts: nothing that a client wrote goes out but values of fixed
 * headers. Redirects are not followed, and only JSON is read.
 * @param endpoint where requests go instead of the host that they are signed for
 */
export function createStsClient(endpoint: string | undefined): StsClient {
  const client = createHttpClient({ reach: 'any', timeoutMs: TIMEOUT_MS, maximumBytes: MAXIMUM_BYTES });
  let closing: Promise<void> | undefined;
  return {
    async ask(proof, signal) {
      const signed = stsRequestHeaders(proof);
      const scope = `${proof.date.slice(0, 8)}/${proof.region}/sts/aws4_request`;
      const authorization = `AWS4-HMAC-SHA256 Credential=${proof.key}/${scope}, SignedHeaders=${Object.keys(signed).toSorted().join(';')}, Signature=${proof.signature}`;
      const { status, headers, body } = await client.request(
        new URL('/', endpoint ?? `https://${proof.host}`),
        {
          method: 'POST',
          headers: { ...signed, authorization, accept: 'application/json' },
          body: STS_REQUEST_BODY,
          signal,
        },
      );
      const isJson = /^application\/json\b/i.test(String(headers['content-type'] ?? ''));
      return judge(status, isJson ? parseJson(body) : undefined, proof.region);
    },
    async close() {
      closing ??= client.close();
      await closing;
    },
  };
}

function judge(status: number, answer: unknown, region: string): StsAnswer {
  if (status === 200) {
    const caller = parseCaller(answer, region);
    return caller
      ? { type: 'caller', caller }
      : { type: 'cannot-tell', reason: 'STS answered something else than GetCallerIdentity in JSON' };
  }
  const error = isRecord(answer) && isRecord(answer.Error) ? answer.Error.Code : undefined;
  const reason = typeof error === 'string' && Object.hasOwn(REFUSALS, error) ? REFUSALS[error] : undefined;
  const isRefusal = reason !== undefined && status >= 400 && status < 500;
  return isRefusal ? { type: 'refused', reason } : { type: 'cannot-tell', reason: `STS answered ${status}` };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
