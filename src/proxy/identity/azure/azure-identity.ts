import { matchesPattern } from '../json-web-token/index.ts';
import type { Outcome } from '../verifier.ts';
import type { AzureVerifierOptions } from './options.ts';

type Claims = Readonly<Record<string, unknown>>;
type Lists = Pick<AzureVerifierOptions, 'name' | 'principalIds' | 'subscriptions' | 'resources'>;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MAXIMUM_RESOURCE_LENGTH = 2048;

/**
 * Who a token is of to the rules, if the lists let it in. The token has to have been verified, and to be the tenant's.
 * @see https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
 */
export function identify(options: Lists, tenantId: string, claims: Claims): Outcome {
  if (lowered(claims.tid) !== tenantId) return refused('its tid is not the tenant of its issuer');
  // A person, or a program on a person's behalf: the audience would be theirs to choose.
  if (claims.scp !== undefined || (claims.idtyp !== undefined && claims.idtyp !== 'app')) {
    return refused('it is the token of a person, not of a machine or program');
  }
  const principalId = lowered(claims.oid);
  if (principalId === undefined || !UUID.test(principalId)) return refused('it names no principal (oid)');
  const resourceId = resourceOf(claims.xms_mirid);
  const subscriptionId = subscriptionOf(resourceId);
  const refusal = findRefusal(options, principalId, subscriptionId, resourceId);
  if (refusal !== undefined) return refused(refusal);
  const clientId = lowered(claims.appid ?? claims.azp);
  return {
    type: 'identity',
    identity: {
      verifier: options.name,
      name: resourceId ?? `principal/${principalId}`,
      groups: [],
      claims: {
        tenantId,
        principalId,
        ...(clientId !== undefined && { clientId }),
        ...(resourceId !== undefined && { resourceId }),
        ...(subscriptionId !== undefined && { subscriptionId }),
        ...(resourceId !== undefined && resourceGroupOf(resourceId)),
      },
    },
  };
}

function findRefusal(
  { principalIds, subscriptions, resources }: Lists,
  principalId: string,
  subscriptionId: string | undefined,
  resourceId: string | undefined,
): string | undefined {
  if (!principalIds && !subscriptions && !resources) return 'no list says who is let in';
  if (principalIds && !principalIds.includes(principalId)) {
    return `the principal ${principalId} is not let in`;
  }
  if (subscriptions && (subscriptionId === undefined || !subscriptions.includes(subscriptionId))) {
    return `the subscription ${subscriptionId ?? '(none: no managed identity)'} is not let in`;
  }
  const fits = (pattern: string): boolean =>
    resourceId !== undefined && matchesPattern(pattern.toLowerCase(), resourceId);
  if (resources && !resources.some(fits)) {
    return `the resource ${resourceId ?? '(none: no managed identity)'} is not let in`;
  }
  return undefined;
}

/** Azure compares these ids without regard to case, and writes them in any. */
function resourceOf(value: unknown): string | undefined {
  const text = lowered(value);
  if (text === undefined || text.length > MAXIMUM_RESOURCE_LENGTH) return undefined;
  return /^(?:\/[\w.()-]+)+$/.test(text) && !/\/\.{1,2}(?:\/|$)/.test(text) ? text : undefined;
}

function subscriptionOf(resourceId: string | undefined): string | undefined {
  const id = /^\/subscriptions\/([^/]+)\//.exec(resourceId ?? '')?.[1];
  return id !== undefined && UUID.test(id) ? id : undefined;
}

function resourceGroupOf(resourceId: string): { resourceGroup?: string } {
  const resourceGroup = /^\/subscriptions\/[^/]+\/resourcegroups\/([^/]+)\//.exec(resourceId)?.[1];
  return resourceGroup === undefined ? {} : { resourceGroup };
}

function lowered(value: unknown): string | undefined {
  return typeof value === 'string' ? value.toLowerCase() : undefined;
}

function refused(reason: string): Outcome {
  return { type: 'refused', reason };
}
