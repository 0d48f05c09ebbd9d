import { z } from 'zod';
import type { Secret } from '../../core/index.ts';
import { formatProof, looksLikeProof, parseProof } from '../proof.ts';
import { AWS_REGION } from './regions.ts';

export const STS_KIND = 'aws-sts';

/** The one request that is signed, and the only body there is. */
export const STS_REQUEST_BODY = 'Action=GetCallerIdentity&Version=2011-06-15';

/** Of our own, and signed: a request that was made for another service is of no use here, nor ours elsewhere. */
export const STS_AUDIENCE_HEADER = 'x-drp-audience';

const CONTENT_TYPE = 'application/x-www-form-urlencoded; charset=utf-8';
const MAXIMUM_TOKEN_LENGTH = 6144;

/**
 * A signed GetCallerIdentity, reduced to what differs from one to the next. Method, path, body, and names of the headers that
 * are signed are fixed on both ends, so there is nothing in it that could change what is asked, or hide what is signed.
 */
const stsProof = z.strictObject({
  /** Who the request was made for: the value of {@link STS_AUDIENCE_HEADER}. */
  audience: z.string().regex(/^[\x21-\x7e]{1,255}$/),
  /** Of the Security Token Service, and of the signature. */
  region: z.string().regex(AWS_REGION),
  host: z.string().regex(/^[a-z0-9.-]{1,100}$/),
  /** Such as `20260102T030405Z`. */
  date: z.string().regex(/^\d{8}T\d{6}Z$/),
  /** Id of the access key; no secret. */
  key: z.string().regex(/^[A-Z0-9]{16,128}$/),
  /** Of temporary credentials. */
  token: z
    .string()
    .regex(/^[A-Za-z0-9+/=_-]+$/)
    .max(MAXIMUM_TOKEN_LENGTH)
    .optional(),
  signature: z.string().regex(/^[0-9a-f]{64}$/),
});
export type StsProof = z.infer<typeof stsProof>;

/** @throws when the session token is too long for a login */
export function formatStsProof(proof: StsProof): Secret {
  return formatProof(STS_KIND, stsProof.parse(proof));
}

export function isStsProof(password: Secret): boolean {
  return looksLikeProof(STS_KIND, password);
}

/** undefined for anything else. */
export function parseStsProof(password: Secret): StsProof | undefined {
  return stsProof.safeParse(parseProof(STS_KIND, password)).data;
}

/** The headers that are signed, in lower case; the signature's own comes on top. */
export function stsRequestHeaders(
  parts: Pick<StsProof, 'audience' | 'host' | 'date' | 'token'>,
): Readonly<Record<string, string>> {
  return {
    'content-type': CONTENT_TYPE,
    host: parts.host,
    'x-amz-date': parts.date,
    ...(parts.token !== undefined && { 'x-amz-security-token': parts.token }),
    [STS_AUDIENCE_HEADER]: parts.audience,
  };
}
