import { type CryptoKey, createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import {
  type HttpService,
  type ServiceAnswer,
  type ServiceRequest,
  startHttpService,
} from '../http-service.ts';
import { createAccountKey, type GoogleIdentity } from './identity.ts';

/** A workload identity pool: whose tokens it takes, and for which audience. */
export interface IdentityPool {
  readonly audience: string;
  readonly issuer: string;
  readonly keys: JSONWebKeySet;
}

export interface GoogleServicesOptions {
  readonly now?: () => number;
  readonly pool?: IdentityPool;
  /** Who may act as whom: `caller -> target`. */
  readonly tokenCreators?: readonly (readonly [caller: string, target: string])[];
}

/** `oauth2.googleapis.com`, `sts.googleapis.com`, `iamcredentials.googleapis.com` and the key set, on one host. */
export interface GoogleServices extends HttpService {
  /** Makes a key for a service account, and the account where there is none. @returns the file */
  createKey(email: string): Promise<string>;
  deleteKeys(email: string): void;
  /** `service_account_impersonation_url`. */
  impersonationUrl(email: string): string;
}

const CLOCK_SKEW_MS = 5 * 60_000;
const LONGEST_ASSERTION_S = 3600;
const GRANT_KEY = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const GRANT_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
/** Who a federated caller is to the IAM. */
export const FEDERATED_CALLER = 'principal://pool';

export async function startGoogleServices(
  identity: GoogleIdentity,
  options: GoogleServicesOptions = {},
): Promise<GoogleServices> {
  const { now = Date.now, pool, tokenCreators = [] } = options;
  const accounts = new Set<string>();
  const keys = new Map<string, { email: string; publicKey: CryptoKey }>();

  async function exchangeAssertion(form: URLSearchParams): Promise<ServiceAnswer> {
    if (form.get('grant_type') !== GRANT_KEY)
      return oauthError('unsupported_grant_type', 'Invalid grant_type.');
    const assertion = form.get('assertion') ?? '';
    const [header, claims] = decode(assertion);
    if (!header || !claims) return oauthError('invalid_grant', 'Invalid JWT');
    if (!accounts.has(String(claims.iss)))
      return oauthError('invalid_grant', 'Invalid grant: account not found');
    const key = keys.get(String(header.kid));
    if (!key || key.email !== claims.iss) return oauthError('invalid_grant', 'Invalid JWT Signature.');
    try {
      await jwtVerify(assertion, key.publicKey, {
        algorithms: ['RS256'],
        currentDate: new Date(now()),
        clockTolerance: 86_400,
      });
    } catch {
      return oauthError('invalid_grant', 'Invalid JWT Signature.');
    }
    const issued = Number(claims.iat) * 1000;
    const isTimely =
      Math.abs(now() - issued) <= CLOCK_SKEW_MS &&
      Number(claims.exp) * 1000 - issued <= LONGEST_ASSERTION_S * 1000;
    if (!isTimely) {
      return oauthError(
        'invalid_grant',
        'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.',
      );
    }
    if (claims.aud !== `${service.origin}/token`)
      return oauthError('invalid_grant', 'Invalid JWT: Failed audience check');
    if (typeof claims.target_audience === 'string') {
      const account = { email: key.email, id: '100000000000000000001' };
      return {
        status: 200,
        body: { id_token: await identity.sign(identity.claimsFor(account, claims.target_audience)) },
      };
    }
    if (typeof claims.scope !== 'string' || !claims.scope.startsWith('https://www.googleapis.com/auth/')) {
      return oauthError('invalid_scope', 'Invalid OAuth scope or ID token audience provided.');
    }
    const { token, seconds } = identity.issueAccess(key.email, claims.scope);
    return { status: 200, body: { access_token: token, expires_in: seconds - 1, token_type: 'Bearer' } };
  }

  async function exchangeSubject(form: URLSearchParams): Promise<ServiceAnswer> {
    if (!pool || form.get('grant_type') !== GRANT_EXCHANGE || form.get('audience') !== pool.audience) {
      return oauthError(
        'invalid_target',
        'The target service indicated by the "audience" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn\'t exist.',
      );
    }
    try {
      await jwtVerify(form.get('subject_token') ?? '', createLocalJWKSet(pool.keys), {
        issuer: pool.issuer,
        audience: `https:${pool.audience}`,
        currentDate: new Date(now()),
      });
    } catch {
      return oauthError('invalid_grant', 'The given credential is rejected by the attribute condition.');
    }
    const { token, seconds } = identity.issueAccess(FEDERATED_CALLER, form.get('scope') ?? '');
    return {
      status: 200,
      body: {
        access_token: token,
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        token_type: 'Bearer',
        expires_in: seconds,
      },
    };
  }

  async function impersonate(target: string, call: string, request: ServiceRequest): Promise<ServiceAnswer> {
    const caller = identity.accessOf(request.headers.authorization?.replace(/^Bearer /, '') ?? '');
    if (!caller) {
      return apiError(
        401,
        'UNAUTHENTICATED',
        'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
      );
    }
    if (!caller.scope.includes('/auth/cloud-platform') && !caller.scope.includes('/auth/iam')) {
      return apiError(403, 'PERMISSION_DENIED', 'Request had insufficient authentication scopes.');
    }
    if (!tokenCreators.some(([from, to]) => from === caller.email && to === target)) {
      return apiError(
        403,
        'PERMISSION_DENIED',
        "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
      );
    }
    const body = JSON.parse(request.body) as Record<string, unknown>;
    if (call === 'generateIdToken') {
      if (typeof body.audience !== 'string')
        return apiError(400, 'INVALID_ARGUMENT', 'Request contains an invalid argument.');
      const account = { email: target, id: '100000000000000000002' };
      return {
        status: 200,
        body: { token: await identity.sign(identity.claimsFor(account, body.audience)) },
      };
    }
    if (!Array.isArray(body.scope)) return apiError(400, 'INVALID_ARGUMENT', 'Scope required.');
    const { token, seconds } = identity.issueAccess(target, body.scope.join(' '));
    return {
      status: 200,
      body: { accessToken: token, expireTime: new Date(now() + seconds * 1000).toISOString() },
    };
  }

  async function answer(request: ServiceRequest): Promise<ServiceAnswer> {
    const { method, url, body } = request;
    if (url.pathname === '/oauth2/v3/certs')
      return { status: 200, body: identity.keySet, headers: { 'content-type': 'application/json' } };
    if (method !== 'POST') return apiError(404, 'NOT_FOUND', 'Method not found.');
    if (url.pathname === '/token') return exchangeAssertion(new URLSearchParams(body));
    if (url.pathname === '/v1/token') return exchangeSubject(new URLSearchParams(body));
    const call = /^\/v1\/projects\/-\/serviceAccounts\/([^:/]+):(generateAccessToken|generateIdToken)$/.exec(
      url.pathname,
    );
    if (call?.[1] !== undefined && call[2] !== undefined) return impersonate(call[1], call[2], request);
    return apiError(404, 'NOT_FOUND', 'Requested entity was not found.');
  }

  const service = await startHttpService(answer);
  return {
    ...service,
    async createKey(email) {
      const { file, publicKey, id } = await createAccountKey(email, `${service.origin}/token`);
      accounts.add(email);
      keys.set(id, { email, publicKey });
      return file;
    },
    deleteKeys(email) {
      for (const [id, key] of keys) if (key.email === email) keys.delete(id);
    },
    impersonationUrl: (email) =>
      `${service.origin}/v1/projects/-/serviceAccounts/${email}:generateAccessToken`,
  };
}

function decode(token: string): [Record<string, unknown> | undefined, Record<string, unknown> | undefined] {
  try {
    const [header = '', claims = ''] = token.split('.');
    return [
      JSON.parse(Buffer.from(header, 'base64url').toString()),
      JSON.parse(Buffer.from(claims, 'base64url').toString()),
    ];
  } catch {
    return [undefined, undefined];
  }
}

function oauthError(error: string, description: string): ServiceAnswer {
  return { status: 400, body: { error, error_description: description } };
}

function apiError(code: number, status: string, message: string): ServiceAnswer {
  return { status: code, body: { error: { code, message, status } } };
}
