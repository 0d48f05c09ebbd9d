import {
  type HttpService,
  type ServiceAnswer,
  type ServiceRequest,
  startHttpService,
} from '../http-service.ts';
import type { Entra, ManagedPrincipal } from './entra.ts';

export interface InstanceMetadataOptions {
  readonly entra: Entra;
  readonly identities: readonly ManagedPrincipal[];
  /** Base64 of a signed document with this nonce. */
  readonly attest?: (nonce: string) => Promise<string> | string;
}

/** The instance metadata service of one machine; `origin` is what AZURE_POD_IDENTITY_AUTHORITY_HOST takes. */
export interface AzureInstanceMetadata extends HttpService {
  /** The next so many requests are answered with this status. */
  failNext(count: number, status: number): void;
}

const NONCE = /^[A-Za-z0-9]{1,32}$/;

export async function startAzureInstanceMetadata({
  entra,
  identities,
  attest,
}: InstanceMetadataOptions): Promise<AzureInstanceMetadata> {
  let failing = { count: 0, status: 0 };

  async function answer({ method, url, headers }: ServiceRequest): Promise<ServiceAnswer> {
    if (headers.metadata !== 'true') return badRequest('Required metadata header not specified');
    // Such a request came through a proxy, and may be somebody else's.
    if (headers['x-forwarded-for'] !== undefined) return badRequest('X-Forwarded-For header is not allowed');
    if (failing.count > 0) {
      failing = { ...failing, count: failing.count - 1 };
      return {
        status: failing.status,
        body: { error: failing.status === 429 ? 'Too many requests' : 'Gone' },
      };
    }
    if (method !== 'GET') return { status: 405, body: { error: 'Method not allowed' } };
    if (!url.searchParams.has('api-version')) {
      return badRequest('api-version is not specified in the request');
    }
    if (url.pathname === '/metadata/identity/oauth2/token') return token(url.searchParams);
    if (url.pathname === '/metadata/attested/document' && attest) {
      const nonce = url.searchParams.get('nonce') ?? '';
      if (!NONCE.test(nonce)) return badRequest('The nonce is not valid');
      return { status: 200, body: { encoding: 'pkcs7', signature: await attest(nonce) } };
    }
    return { status: 404, body: { error: 'Not found' } };
  }

  async function token(parameters: URLSearchParams): Promise<ServiceAnswer> {
    const resource = parameters.get('resource') ?? '';
    if (resource === '') {
      return {
        status: 400,
        body: {
          error: 'invalid_request',
          error_description: "Required query variable 'resource' is missing",
        },
      };
    }
    const clientId = parameters.get('client_id');
    const fitting = identities.filter((identity) => clientId === null || identity.clientId === clientId);
    const [identity] = fitting;
    if (!identity)
      return { status: 400, body: { error: 'invalid_request', error_description: 'Identity not found' } };
    if (fitting.length > 1) {
      return {
        status: 400,
        body: {
          error: 'invalid_request',
          error_description:
            'Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request',
        },
      };
    }
    if (!entra.resources.includes(resource)) {
      return {
        status: 400,
        body: {
          error: 'invalid_resource',
          error_description: `AADSTS500011: The resource principal named ${resource} was not found in the tenant named Acme.`,
        },
      };
    }
    const { token: issued, endsAt } = await entra.issueManaged(identity, resource);
    return {
      status: 200,
      body: {
        access_token: issued,
        client_id: identity.clientId,
        expires_in: '86399',
        expires_on: String(endsAt),
        ext_expires_in: '86399',
        not_before: String(endsAt - 86_399),
        resource,
        token_type: 'Bearer',
      },
    };
  }

  const service = await startHttpService(answer);
  return {
    ...service,
    failNext: (count, status) => {
      failing = { count, status };
    },
  };
}

function badRequest(words: string): ServiceAnswer {
  return { status: 400, body: { error: `Bad request. ${words}` } };
}
