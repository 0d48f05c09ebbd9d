import { Secret } from '../../core/index.ts';
import { isRecord } from '../../oci/index.ts';
import { CredentialProviderError } from './errors.ts';

/** The one version of kubelet's protocol that is spoken. */
export const API_VERSION = 'credentialprovider.kubelet.k8s.io/v1';
const KIND = 'CredentialProviderRequest';
/** Images have at most some hundred characters, tokens a few thousand. */
export const REQUEST_LIMIT_BYTES = 256 * 1024;

/** What kubelet asks on standard input. */
export interface PluginRequest {
  /** As the pod names it, with tag or digest. */
  readonly image: string;
  /** Of the pod, when `tokenAttributes` are configured (KEP-4412). */
  readonly serviceAccountToken: Secret | undefined;
}

/**
 * Reads kubelet's question.
 * @throws {CredentialProviderError} that says what to change in kubelet's configuration
 * @see https://kubernetes.io/docs/reference/config-api/kubelet-credentialprovider.v1/
 */
export function parsePluginRequest(text: string): PluginRequest {
  const request = parseObject(text);
  if (request.apiVersion !== API_VERSION) {
    throw new CredentialProviderError(
      `kubelet speaks ${named(request.apiVersion)}: write apiVersion: ${API_VERSION} for this provider in the CredentialProviderConfig`,
    );
  }
  if (request.kind !== KIND) {
    throw new CredentialProviderError(`expected a ${KIND}, got ${named(request.kind)}`);
  }
  const { image, serviceAccountToken } = request;
  if (typeof image !== 'string' || image === '')
    throw new CredentialProviderError('the request names no image');
  if (serviceAccountToken !== undefined && typeof serviceAccountToken !== 'string') {
    throw new CredentialProviderError('serviceAccountToken is no text');
  }
  return { image, serviceAccountToken: serviceAccountToken ? new Secret(serviceAccountToken) : undefined };
}

function parseObject(text: string): Record<string, unknown> {
  if (Buffer.byteLength(text) > REQUEST_LIMIT_BYTES) {
    throw new CredentialProviderError(`the request is larger than ${REQUEST_LIMIT_BYTES} bytes`);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch {
    // Said below: what JSON.parse says quotes the request, and with it the token.
  }
  throw new CredentialProviderError(
    'standard input is no JSON object; this command is for kubelet, which asks on standard input',
  );
}

function named(value: unknown): string {
  return typeof value === 'string' && /^[A-Za-z0-9./_-]{1,100}$/.test(value) ? value : 'something else';
}
