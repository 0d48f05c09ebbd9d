import { createHash, randomUUID, X509Certificate } from 'node:crypto';
import {
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  importX509,
  type JSONWebKeySet,
  jwtVerify,
  SignJWT,
} from 'jose';
import {
  type HttpService,
  type ServiceAnswer,
  type ServiceRequest,
  startHttpService,
} from '../http-service.ts';

/** An application that may ask for tokens, and how it proves itself. */
export interface EntraApplication {
  readonly clientId: string;
  /** Id of its service principal. */
  readonly principalId: string;
  readonly secret?: string;
  readonly secretEnded?: boolean;
  readonly certificatePem?: string;
  readonly federation?: {
    readonly issuer: string;
    readonly subject: string;
    readonly keys: JSONWebKeySet;
  };
}

/** An identity that Azure manages for a resource. */
export interface ManagedPrincipal {
  readonly clientId: string;
  readonly principalId: string;
  readonly resourceId: string;
}

/** What was issued: who it is for whom. */
export interface EntraGrant {
  readonly principalId: string;
  readonly resource: string;
  readonly tenantId: string;
}

/** One tenant of Entra ID. */
export interface Entra extends HttpService {
  readonly tenantId: string;
  /** Resources (Application ID URIs) that the tenant knows. */
  readonly resources: readonly string[];
  issueManaged(principal: ManagedPrincipal, resource: string): Promise<{ token: string; endsAt: number }>;
  sign(
    claims: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
  ): Promise<string>;
  claimsFor(
    principal: Pick<ManagedPrincipal, 'clientId' | 'principalId'> & { readonly resourceId?: string },
    resource: string,
  ): Record<string, unknown>;
  /** @returns undefined for a token of somebody else, one that has ended, or of other tenants */
  grantOf(token: string): Promise<EntraGrant | undefined>;
}

export interface EntraOptions {
  readonly tenantId?: string;
  readonly resources: readonly string[];
  readonly applications?: readonly EntraApplication[];
  readonly now?: () => number;
  /** Of version 2: another issuer, and the audience as a client id. */
  readonly version?: 1 | 2;
}

export const TENANT = '11111111-2222-3333-4444-555555555555';
const KEY_ID = 'entra-1';
const LIFETIME_SECONDS = 24 * 3600 - 1;
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const FEDERATION_AUDIENCE = 'api://AzureADTokenExchange';
/** One pair for all that run in a process: making one takes long. */
const SIGNING_KEYS = generateKeyPair('RS256', { extractable: true });

class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly error: string,
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

export async function startEntra(options: EntraOptions): Promise<Entra> {
  const { tenantId = TENANT, resources, applications = [], now = Date.now, version = 1 } = options;
  const { publicKey, privateKey } = await SIGNING_KEYS;
  const jwk = { ...(await exportJWK(publicKey)), kid: KEY_ID, use: 'sig' };
  const issuer = (): string =>
    version === 1 ? `https://sts.windows.net/${tenantId}/` : `${service.origin}/${tenantId}/v2.0`;

  const sign: Entra['sign'] = (claims, header = {}) =>
    new SignJWT({ ...claims })
      .setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid: KEY_ID, ...header })
      .sign(privateKey);

  const claimsFor: Entra['claimsFor'] = ({ clientId, principalId, resourceId }, resource) => {
    const seconds = Math.floor(now() / 1000);
    return {
      aud: resource,
      iss: issuer(),
      iat: seconds,
      nbf: seconds,
      exp: seconds + LIFETIME_SECONDS,
      ...(version === 1 ? { appid: clientId, appidacr: '2' } : { azp: clientId, azpacr: '2' }),
      idp: `https://sts.windows.net/${tenantId}/`,
      idtyp: 'app',
      oid: principalId,
      sub: principalId,
      tid: tenantId,
      ver: version === 1 ? '1.0' : '2.0',
      ...(resourceId !== undefined && { xms_mirid: resourceId }),
    };
  };

  async function clientToken(form: URLSearchParams): Promise<ServiceAnswer> {
    if (form.get('grant_type') !== 'client_credentials') {
      throw new Refusal(400, 'unsupported_grant_type', 70003, 'The app requested an unsupported grant type.');
    }
    const application = applications.find(({ clientId }) => clientId === form.get('client_id'));
    if (!application) {
      throw new Refusal(
        400,
        'unauthorized_client',
        700016,
        `Application with identifier '${form.get('client_id')}' was not found in the directory 'Acme'.`,
      );
    }
    await prove(application, form);
    const scope = form.get('scope') ?? '';
    const resource = scope.replace(/\/\.default$/, '');
    if (resource === scope)
      throw new Refusal(400, 'invalid_scope', 1002012, `The provided value for scope ${scope} is not valid.`);
    if (!resources.includes(resource)) {
      throw new Refusal(
        400,
        'invalid_resource',
        500011,
        `The resource principal named ${resource} was not found in the tenant named Acme.`,
      );
    }
    const token = await sign(claimsFor(application, resource));
    return {
      status: 200,
      body: { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599, access_token: token },
    };
  }

  async function prove(application: EntraApplication, form: URLSearchParams): Promise<void> {
    const secret = form.get('client_secret');
    const assertion = form.get('client_assertion');
    if (secret !== null) {
      if (secret !== application.secret) {
        throw new Refusal(
          401,
          'invalid_client',
          7000215,
          'Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.',
        );
      }
      if (application.secretEnded)
        throw new Refusal(401, 'invalid_client', 7000222, 'The provided client secret keys are expired.');
      return;
    }
    if (assertion === null || form.get('client_assertion_type') !== ASSERTION_TYPE) {
      throw new Refusal(
        401,
        'invalid_client',
        7000218,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
      );
    }
    const header = JSON.parse(Buffer.from(assertion.split('.')[0] ?? '', 'base64url').toString()) as Record<
      string,
      unknown
    >;
    if (header['x5t#S256'] !== undefined) await proveByCertificate(application, assertion, header);
    else await proveByFederation(application, assertion);
  }

  async function proveByCertificate(
    { certificatePem, clientId }: EntraApplication,
    assertion: string,
    header: Record<string, unknown>,
  ): Promise<void> {
    const thumbprint =
      certificatePem !== undefined &&
      createHash('sha256').update(new X509Certificate(certificatePem).raw).digest('base64url');
    if (certificatePem === undefined || header['x5t#S256'] !== thumbprint) {
      throw new Refusal(
        401,
        'invalid_client',
        700027,
        'The certificate with identifier used to sign the client assertion is not registered on application.',
      );
    }
    try {
      await jwtVerify(assertion, await importX509(certificatePem, 'PS256'), {
        algorithms: ['PS256'],
        issuer: clientId,
        subject: clientId,
        audience: `${service.origin}/${tenantId}/oauth2/v2.0/token`,
        requiredClaims: ['jti', 'exp', 'nbf'],
        currentDate: new Date(now()),
        clockTolerance: 300,
      });
    } catch {
      throw new Refusal(
        401,
        'invalid_client',
        700024,
        'Client assertion is not within its valid time range.',
      );
    }
  }

  async function proveByFederation({ federation }: EntraApplication, assertion: string): Promise<void> {
    const claims = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString()) as Record<
      string,
      unknown
    >;
    if (!federation || claims.iss !== federation.issuer) {
      throw new Refusal(
        401,
        'invalid_client',
        700211,
        `No matching federated identity record found for presented assertion issuer '${claims.iss}'.`,
      );
    }
    if (claims.sub !== federation.subject) {
      throw new Refusal(
        401,
        'invalid_client',
        700213,
        `No matching federated identity record found for presented assertion subject '${claims.sub}'.`,
      );
    }
    if (![claims.aud].flat().includes(FEDERATION_AUDIENCE)) {
      throw new Refusal(
        401,
        'invalid_client',
        700212,
        `No matching federated identity record found for presented assertion audience '${claims.aud}'.`,
      );
    }
    try {
      await jwtVerify(assertion, createLocalJWKSet(federation.keys), { currentDate: new Date(now()) });
    } catch {
      throw new Refusal(
        401,
        'invalid_client',
        700024,
        'Client assertion is not within its valid time range.',
      );
    }
  }

  async function answer({ method, url, body }: ServiceRequest): Promise<ServiceAnswer> {
    const [, tenant, ...path] = url.pathname.split('/');
    try {
      if (tenant !== tenantId)
        throw new Refusal(400, 'invalid_request', 90002, `Tenant '${tenant}' not found.`);
      if (method === 'GET' && path.join('/') === 'discovery/v2.0/keys')
        return { status: 200, body: { keys: [jwk] } };
      if (method === 'POST' && path.join('/') === 'oauth2/v2.0/token')
        return await clientToken(new URLSearchParams(body));
      return { status: 404 };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const trace = randomUUID();
      return {
        status: error.status,
        body: {
          error: error.error,
          error_description: `AADSTS${error.code}: ${error.message} Trace ID: ${trace} Correlation ID: ${trace} Timestamp: ${new Date(now()).toISOString()}`,
          error_codes: [error.code],
          trace_id: trace,
          error_uri: `https://login.microsoftonline.com/error?code=${error.code}`,
        },
      };
    }
  }

  const service = await startHttpService(answer);
  return {
    ...service,
    tenantId,
    resources,
    sign,
    claimsFor,
    async issueManaged(principal, resource) {
      const claims = claimsFor(principal, resource);
      return { token: await sign(claims), endsAt: Number(claims.exp) };
    },
    async grantOf(token) {
      try {
        const { payload } = await jwtVerify(token, publicKey, {
          currentDate: new Date(now()),
          issuer: issuer(),
        });
        return {
          principalId: String(payload.oid),
          resource: String(payload.aud),
          tenantId: String(payload.tid),
        };
      } catch {
        return undefined;
      }
    },
  };
}
