import { RegistryError, type RepositoryName, referenceText } from '../../oci/index.ts';
import { isAnonymous } from '../identity/index.ts';
import type { Action } from '../policy/index.ts';
import type { Bearer } from '../token/index.ts';
import { unauthorized } from './challenge.ts';
import type { Exchange } from './exchange.ts';
import type { Need, Resource } from './operation.ts';
import type { RegistryParts } from './parts.ts';
import type { RegistryRequest } from './request.ts';

/**
 * Lets a request in, or throws. Asked before anything is looked up, so that the answer is the same whether the
 * thing exists or not.
 * @throws {RegistryError} 401 without a token that is good for this, 403 where the policy says no
 */
export async function admit(
  request: RegistryRequest,
  resource: Resource,
  need: Need,
  parts: RegistryParts,
  exchange: Exchange,
): Promise<Bearer> {
  const asked = 'name' in resource && need !== 'token' ? { name: resource.name, action: need } : undefined;
  const shown = bearerToken(request.headers.authorization);
  if (shown === undefined) throw unauthorized(request, 'a login is needed', { asked });
  const bearer = await parts.tokens.check(shown, request.service);
  if (!bearer) throw unauthorized(request, 'the token is not valid', { asked, error: 'invalid_token' });
  if (asked) enforce(bearer, asked.name, asked.action, request, resource, exchange);
  else if (resource.kind === 'catalog') {
    exchange.decided({ action: 'list', outcome: 'allowed', identity: bearer.identity });
  }
  return bearer;
}

function enforce(
  bearer: Bearer,
  name: RepositoryName,
  action: Action,
  request: RegistryRequest,
  resource: Resource,
  exchange: Exchange,
): void {
  const asked = { name, action };
  const decision = bearer.decide(name, action);
  const common = { action, identity: bearer.identity, repository: name, ...referenceOf(resource) };
  if (!decision.allowed) {
    exchange.decided({ ...common, outcome: 'denied', reason: 'no rule grants it' });
    if (isAnonymous(bearer.identity))
      throw unauthorized(request, 'a login is needed', { asked, error: 'insufficient_scope' });
    throw new RegistryError('DENIED', `no rule lets you ${action} ${name}`);
  }
  if (!bearer.covers(name, action)) {
    throw unauthorized(request, 'the token was issued for something else', {
      asked,
      error: 'insufficient_scope',
    });
  }
  exchange.decided({ ...common, outcome: 'allowed', rule: decision.rule });
}

function bearerToken(authorization: string | undefined): string | undefined {
  return /^bearer +([^\s]+)$/i.exec(authorization ?? '')?.[1];
}

function referenceOf(resource: Resource): { reference: string } | undefined {
  if (resource.kind === 'manifest') return { reference: referenceText(resource.reference) };
  if (resource.kind === 'blob' || resource.kind === 'referrers') return { reference: resource.digest };
  return undefined;
}
