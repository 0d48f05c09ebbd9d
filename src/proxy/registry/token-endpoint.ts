import { Secret } from '../../core/index.ts';
import { formatScope, parseScopes, RegistryError } from '../../oci/index.ts';
import type { IssuedToken, TokenRequest } from '../token/index.ts';
import { type Answer, jsonAnswer } from './answer.ts';
import type { Exchange } from './exchange.ts';
import type { RegistryParts } from './parts.ts';
import { badRequest, type RegistryRequest } from './request.ts';

const NO_STORE = { 'Cache-Control': 'no-store' };

/**
 * GET and POST of the token endpoint.
 * @throws {RegistryError} 401 for a credential that is not accepted, 503 when it can't be checked, 400 for a request that
 * makes no sense
 * @see distribution, token authentication and OAuth 2.0 token authentication specifications
 */
export async function answerToken(
  request: RegistryRequest,
  parts: RegistryParts,
  exchange: Exchange,
): Promise<Answer> {
  if (request.method === 'POST' && !request.form) throw badRequest('a POST here has to be a form');
  const asked = request.form
    ? fromForm(request, request.form)
    : fromQuery(request, parts.tokens.takesCertificates);
  if (asked.grant.type === 'anonymous' && !parts.anonymous) throw loginNeeded(request, 'a login is needed');
  const outcome = await parts.tokens.issue(asked);
  if (outcome.type === 'issued') {
    exchange.decided({ action: 'login', outcome: 'allowed', identity: outcome.issued.identity });
    return jsonAnswer(200, tokenBody(outcome.issued), NO_STORE);
  }
  const name = asked.grant.type === 'password' ? asked.grant.credential.username : '';
  const { reason } = outcome;
  exchange.decided({
    action: 'login',
    outcome: outcome.type,
    reason,
    identity: { verifier: '', name: printable(name) },
  });
  if (outcome.type === 'limited') {
    throw new RegistryError('TOOMANYREQUESTS', 'too many failed logins; try again later', {
      headers: { 'Retry-After': String(outcome.retryAfterSeconds) },
    });
  }
  if (outcome.type === 'refused') {
    const isRefresh = asked.grant.type === 'refresh';
    throw loginNeeded(
      request,
      isRefresh ? 'the login has ended: log in again' : 'user name or password is wrong',
    );
  }
  throw new RegistryError('UNAVAILABLE', 'the login can not be checked now; try again later', {
    cause: outcome.cause ?? new Error(reason),
    headers: { 'Retry-After': '5' },
  });
}

/** Ends a refresh token. The answer is the same for one that never was. @see RFC 7009, section 2 */
export async function answerRevocation(request: RegistryRequest, parts: RegistryParts): Promise<Answer> {
  const token = request.form?.get('token');
  if (!token) throw badRequest('expected a form with the field token');
  await parts.tokens.revoke(new Secret(token));
  return jsonAnswer(200, {}, NO_STORE);
}

function fromQuery(request: RegistryRequest, takesCertificates: boolean): TokenRequest {
  const { query, signal } = request;
  return {
    grant: shownGrant(request, takesCertificates),
    service: ownService(request, query),
    scopes: scopesOf(query),
    client: request.client,
    refresh: query.get('offline_token') === 'true' ? 'fixed' : 'none',
    signal,
  };
}

/** A password goes before a certificate: whoever shows both means the password. */
function shownGrant(request: RegistryRequest, takesCertificates: boolean): TokenRequest['grant'] {
  const credential = basicCredential(request.headers.authorization);
  if (credential) return { type: 'password', credential };
  const certificate = takesCertificates ? request.certificate() : undefined;
  return certificate ? { type: 'certificate', certificate } : { type: 'anonymous' };
}

function fromForm(request: RegistryRequest, form: URLSearchParams): TokenRequest {
  return {
    grant: grantOf(form),
    service: ownService(request, form),
    scopes: scopesOf(form),
    client: request.client,
    refresh: form.get('access_type') === 'offline' ? 'rotating' : 'none',
    signal: request.signal,
  };
}

function grantOf(form: URLSearchParams): TokenRequest['grant'] {
  switch (form.get('grant_type')) {
    case 'password':
      return {
        type: 'password',
        credential: {
          username: form.get('username') ?? '',
          password: new Secret(form.get('password') ?? ''),
        },
      };
    case 'refresh_token':
      return { type: 'refresh', refreshToken: new Secret(form.get('refresh_token') ?? '') };
    default:
      throw badRequest('grant_type has to be password or refresh_token');
  }
}

function ownService(request: RegistryRequest, parameters: URLSearchParams): string {
  const service = parameters.get('service');
  if (service !== null && service !== '' && service !== request.service) {
    throw badRequest('service has to be the one that the challenge named');
  }
  return request.service;
}

function scopesOf(parameters: URLSearchParams): TokenRequest['scopes'] {
  const { scopes, invalid } = parseScopes(parameters.getAll('scope'));
  if (invalid.length > 0) throw badRequest('a scope has the form type:name:actions');
  return scopes;
}

/** @see RFC 7617: the user name ends at the first colon */
function basicCredential(
  authorization: string | undefined,
): { username: string; password: Secret } | undefined {
  if (authorization === undefined) return undefined;
  const encoded = /^basic +([A-Za-z0-9+/_-]+={0,2})$/i.exec(authorization)?.[1];
  const decoded = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon < 0) throw badRequest('expected Authorization: Basic with a user name and a password');
  return { username: decoded.slice(0, colon), password: new Secret(decoded.slice(colon + 1)) };
}

function tokenBody(issued: IssuedToken): Record<string, unknown> {
  return {
    token: issued.token,
    access_token: issued.token,
    token_type: 'Bearer',
    expires_in: issued.expiresInSeconds,
    issued_at: issued.issuedAt.toISOString(),
    scope: issued.scopes.map(formatScope).join(' '),
    ...(issued.refreshToken && { refresh_token: issued.refreshToken.reveal() }),
  };
}

function loginNeeded(request: RegistryRequest, message: string): RegistryError {
  return new RegistryError('UNAUTHORIZED', message, {
    headers: { 'WWW-Authenticate': `Basic realm="${request.service}", charset="UTF-8"` },
  });
}

/** A name that nobody has vouched for, cut to what a log line can hold. */
function printable(name: string): string {
  return name.replace(/[^\x20-\x7e]/g, '?').slice(0, 128);
}
