import { parseRepositoryName, type Scope } from '../../oci/index.ts';
import type { Identity } from '../identity/index.ts';
import { ACTIONS, type Action, type Policy } from '../policy/index.ts';

/** Scopes of one request that are looked at; the rest is not granted. */
const MAXIMUM_SCOPES = 100;

/** What the scopes of a token may take up, as JSON. */
const MAXIMUM_GRANT_BYTES = 4096;

const EVERY_ACTION = '*';
const CATALOG = { type: 'registry', name: 'catalog', actions: [EVERY_ACTION] } as const;

/**
 * What is both asked for and allowed, in the order asked, with each name once. `*` on a repository is every action
 * that is allowed. Everybody may ask for the catalog: what it lists is decided name by name.
 *
 * What would make the token too long for a header is left out, from the end.
 */
export function grantScopes(asked: readonly Scope[], identity: Identity, policy: Policy): Scope[] {
  const granted: Scope[] = [];
  let bytes = 0;
  for (const scope of mergeScopes(asked.slice(0, MAXIMUM_SCOPES))) {
    const actions = grantedActions(scope, identity, policy);
    if (actions.length === 0) continue;
    const grant: Scope = { type: scope.type, name: scope.name, actions };
    bytes += Buffer.byteLength(JSON.stringify(grant)) + 1;
    if (bytes > MAXIMUM_GRANT_BYTES) break;
    granted.push(grant);
  }
  return granted;
}

function mergeScopes(scopes: readonly Scope[]): Scope[] {
  const merged = new Map<string, Scope>();
  for (const scope of scopes) {
    // A type holds no colon, so this tells the two apart.
    const key = `${scope.type}:${scope.name}`;
    const actions = [...new Set([...(merged.get(key)?.actions ?? []), ...scope.actions])];
    merged.set(key, { type: scope.type, name: scope.name, actions });
  }
  return [...merged.values()];
}

function grantedActions(scope: Scope, identity: Identity, policy: Policy): readonly string[] {
  if (scope.type === CATALOG.type && scope.name === CATALOG.name) {
    return scope.actions.includes(EVERY_ACTION) ? CATALOG.actions : [];
  }
  const repository = scope.type === 'repository' ? parseRepositoryName(scope.name) : undefined;
  if (!repository) return [];
  const asked: readonly Action[] = scope.actions.includes(EVERY_ACTION)
    ? ACTIONS
    : ACTIONS.filter((action) => scope.actions.includes(action));
  return asked.filter((action) => policy.decide(identity, repository, action).allowed);
}
