import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { AccessKeys, Accounts } from './account.ts';
import { type ServiceRequest, splitOnce } from './service.ts';

/** What a service answers when a signature is not good. */
export interface SignatureProblem {
  readonly code:
    | 'MissingAuthenticationToken'
    | 'IncompleteSignature'
    | 'InvalidClientTokenId'
    | 'SignatureDoesNotMatch'
    | 'ExpiredToken';
  readonly message: string;
}

export interface Signed {
  readonly keys: AccessKeys;
  readonly region: string;
}

export interface SignatureExpectations {
  readonly accounts: Accounts;
  /** The service of the credential scope, such as `sts`. */
  readonly service: string;
  /** Undefined for any. */
  readonly region?: string | undefined;
}

const MAXIMUM_SKEW_MS = 15 * 60_000;
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^,\s]+), ?SignedHeaders=([^,\s]+), ?Signature=([0-9a-f]{64})$/;

/**
 * Checks a signature of version 4 in the Authorization header, from the specification and not with the library that the
 * program signs with.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function checkSignature(
  request: ServiceRequest,
  { accounts, service, region: expectedRegion }: SignatureExpectations,
): Signed | SignatureProblem {
  const authorization = request.header('authorization');
  if (authorization === undefined) {
    return { code: 'MissingAuthenticationToken', message: 'Request is missing Authentication Token' };
  }
  const [, credential = '', headerList = '', signature = ''] = AUTHORIZATION.exec(authorization) ?? [];
  const [accessKeyId = '', day = '', region = '', scopeService = '', end = ''] = credential.split('/');
  const date = request.header('x-amz-date') ?? '';
  const names = headerList.split(';');
  if (end !== 'aws4_request' || !/^\d{8}T\d{6}Z$/.test(date)) {
    return { code: 'IncompleteSignature', message: 'Authorization header requires existence of all parts' };
  }
  const keys = accounts.keysOf(accessKeyId);
  if (!keys || keys.sessionToken !== request.header('x-amz-security-token')) {
    return {
      code: 'InvalidClientTokenId',
      message: 'The security token included in the request is invalid.',
    };
  }
  const skew = accounts.now() - timeOf(date);
  if (Math.abs(skew) > MAXIMUM_SKEW_MS) {
    const what = skew > 0 ? 'expired' : 'not yet current';
    return { code: 'SignatureDoesNotMatch', message: `Signature ${what}: ${date}` };
  }
  if (keys.expiresAt !== undefined && keys.expiresAt <= accounts.now()) {
    return { code: 'ExpiredToken', message: 'The security token included in the request is expired' };
  }
  const mustBeSigned = request.rawHeaders
    .map(([name]) => name.toLowerCase())
    .filter((name) => name === 'host' || (name.startsWith('x-amz-') && name !== 'x-amz-content-sha256'));
  const unsigned = mustBeSigned.find((name) => !names.includes(name));
  if (unsigned !== undefined || day !== date.slice(0, 8) || scopeService !== service) {
    return {
      code: 'SignatureDoesNotMatch',
      message: 'Credential should be scoped to a valid date and service',
    };
  }
  if (expectedRegion !== undefined && region !== expectedRegion) {
    return {
      code: 'SignatureDoesNotMatch',
      message: `Credential should be scoped to a valid region, not '${region}'.`,
    };
  }
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonicalRequest(request, names))}`;
  const key = [day, region, service, 'aws4_request'].reduce<Buffer>(
    (secret, part) => hmac(secret, part),
    Buffer.from(`AWS4${keys.secretAccessKey}`),
  );
  const right = hmac(key, toSign);
  return timingSafeEqual(right, Buffer.from(signature, 'hex'))
    ? { keys, region }
    : {
        code: 'SignatureDoesNotMatch',
        message: 'The request signature we calculated does not match the signature you provided.',
      };
}

function canonicalRequest(request: ServiceRequest, names: readonly string[]): string {
  const headers = names.map((name) => {
    const values = request.rawHeaders
      .filter(([key]) => key.toLowerCase() === name)
      .map(([, value]) => value.trim().replace(/ +/g, ' '));
    return `${name}:${values.join(',')}\n`;
  });
  const query = request.query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => splitOnce(part, '=').map((text) => encode(decodeURIComponent(text))))
    .map(([key, value]) => `${key}=${value}`)
    .toSorted();
  // Services other than S3 encode the path once more.
  const path = request.path.split('/').map(encode).join('/');
  return [
    request.method,
    path,
    query.join('&'),
    headers.join(''),
    names.join(';'),
    sha256(request.body),
  ].join('\n');
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function timeOf(date: string): number {
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
