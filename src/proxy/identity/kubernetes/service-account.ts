import { isRecord } from '../../../oci/index.ts';
import type { Outcome } from '../verifier.ts';
import type { KubernetesVerifierOptions } from './options.ts';

/** A service account as Kubernetes vouches for it. */
export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string | undefined;
  /** The pod that the token is bound to. */
  readonly pod: string | undefined;
  /** The node that the pod runs on. */
  readonly node: string | undefined;
}

const PREFIX = 'system:serviceaccount:';
const USERNAME = /^system:serviceaccount:([a-z0-9][-a-z0-9]{0,62}):([a-z0-9][-.a-z0-9]{0,252})$/;

/** Reads `system:serviceaccount:NAMESPACE:NAME`. */
export function parseAccountName(username: unknown): { namespace: string; name: string } | undefined {
  const match = typeof username === 'string' ? USERNAME.exec(username) : null;
  return match?.[1] !== undefined && match[2] !== undefined
    ? { namespace: match[1], name: match[2] }
    : undefined;
}

/** What the API server says of a token: `status.user` of a TokenReview. */
export function accountOfUser(user: unknown): ServiceAccount | undefined {
  if (!isRecord(user)) return undefined;
  const parsed = parseAccountName(user.username);
  if (!parsed) return undefined;
  const extra = isRecord(user.extra) ? user.extra : {};
  const only = (key: string): string | undefined => {
    const values = extra[`authentication.kubernetes.io/${key}`];
    return Array.isArray(values) ? textOf(values[0]) : undefined;
  };
  return { ...parsed, uid: textOf(user.uid), pod: only('pod-name'), node: only('node-name') };
}

/**
 * What a token itself says; it has to have been verified. Its `sub` and its private claims have to agree.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#schema-for-service-account-private-claims
 */
export function accountOfClaims(claims: Readonly<Record<string, unknown>>): ServiceAccount | undefined {
  const parsed = parseAccountName(claims.sub);
  const own = claims['kubernetes.io'];
  if (!parsed || !isRecord(own)) return undefined;
  const account = isRecord(own.serviceaccount) ? own.serviceaccount : {};
  if (own.namespace !== parsed.namespace || account.name !== parsed.name) return undefined;
  const nameIn = (value: unknown) => (isRecord(value) ? textOf(value.name) : undefined);
  return { ...parsed, uid: textOf(account.uid), pod: nameIn(own.pod), node: nameIn(own.node) };
}

/** Who an account is to the rules, if the lists let it in. */
export function identify(
  options: Pick<KubernetesVerifierOptions, 'name' | 'namespaces' | 'serviceAccounts'>,
  account: ServiceAccount | undefined,
): Outcome {
  if (!account) return { type: 'refused', reason: 'it is no token of a service account' };
  const { namespace, name, uid, pod, node } = account;
  const { namespaces, serviceAccounts } = options;
  const lists = [
    ...(namespaces ? [namespaces.includes(namespace)] : []),
    ...(serviceAccounts ? [serviceAccounts.includes(`${namespace}/${name}`)] : []),
  ];
  if (lists.length === 0 || lists.includes(false)) {
    return { type: 'refused', reason: `${namespace}/${name} is not let in` };
  }
  const claims = {
    namespace,
    serviceAccount: name,
    ...(uid !== undefined && { uid }),
    ...(pod !== undefined && { pod }),
    ...(node !== undefined && { node }),
  };
  const identity = { verifier: options.name, name: `${PREFIX}${namespace}:${name}`, groups: [], claims };
  return { type: 'identity', identity };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= 253 ? value : undefined;
}
