import type { Identity } from '../identity/index.ts';
import type { Decision, Policy } from '../policy/index.ts';
import type { Access } from './access-claims.ts';
import type { Bearer } from './token-service.ts';

/** Decisions that are remembered with one token. */
const REMEMBERED_DECISIONS = 64;

export function createBearer(identity: Identity, expiresAt: number, access: Access, policy: Policy): Bearer {
  const decisions = new Map<string, Decision>();
  return {
    identity,
    expiresAt,
    covers(repository, action) {
      return access.some(
        ({ type, name, actions }) => type === 'repository' && name === repository && actions.includes(action),
      );
    },
    decide(repository, action) {
      const key = `${action} ${repository}`;
      const known = decisions.get(key);
      if (known) return known;
      const decision = policy.decide(identity, repository, action);
      if (decisions.size >= REMEMBERED_DECISIONS) decisions.clear();
      decisions.set(key, decision);
      return decision;
    },
  };
}
