import { parseRepositoryName, RegistryError } from '../../oci/index.ts';
import type { Bearer } from '../token/index.ts';
import { admit } from './admission.ts';
import { type Answer, jsonAnswer } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { answerCatalog } from './handlers/catalog.ts';
import { answerDelete } from './handlers/delete.ts';
import { answerPull, type Pull } from './handlers/pull.ts';
import { answerPush, type Push } from './handlers/push.ts';
import { allowedMethods, type NamedResource, type Need, neededFor, type Resource } from './operation.ts';
import type { RegistryParts } from './parts.ts';
import { badRequest, type RegistryRequest } from './request.ts';
import type { RoutedName } from './routing.ts';

const NAMESPACE = /^[a-z0-9.-]{1,253}(?::\d{1,5})?$/;

/** A request that was let in, and what it is answered with. */
interface Admitted {
  readonly request: RegistryRequest;
  readonly bearer: Bearer;
  /** The registry that a mirror stands for. */
  readonly namespace: string | undefined;
  readonly parts: RegistryParts;
  readonly exchange: Exchange;
}

/**
 * The way of a request below `/v2/`: what it is about, who asks and whether they may, where the name leads, and the answer.
 * @throws {RegistryError | UpstreamError}
 */
export async function dispatch(
  request: RegistryRequest,
  resource: Resource,
  parts: RegistryParts,
  exchange: Exchange,
): Promise<Answer> {
  const need = neededFor(resource, request.method);
  const namespace = readNamespace(request);
  exchange.namespace = namespace;
  const bearer = await admit(request, resource, need ?? 'token', parts, exchange);
  if (need === undefined) throw methodNotAllowed(resource);

  const answer = await answerTo(resource, need, { request, bearer, namespace, parts, exchange });
  return namespace === undefined
    ? answer
    : { ...answer, headers: { ...answer.headers, 'OCI-Namespace': namespace } };
}

/** By what it needs: `need` is what admission has asked the policy for, and so nothing else can be done by it. */
function answerTo(resource: Resource, need: Need, admitted: Admitted): Promise<Answer> | Answer {
  if (resource.kind === 'ping') return jsonAnswer(200, {});
  if (resource.kind === 'catalog') return answerCatalog(admitted);
  const isWrittenTo = resource.kind === 'manifest' || resource.kind === 'blob';
  const isUpload = resource.kind === 'uploads' || resource.kind === 'upload';
  if (need === 'pull' && !isUpload) return answerPull(pullOf(resource, admitted), resource);
  if (need === 'push' && (resource.kind === 'manifest' || isUpload))
    return answerPush(pushOf(resource, admitted), resource);
  if (need === 'delete' && isWrittenTo) return answerDelete(pushOf(resource, admitted), resource);
  throw methodNotAllowed(resource);
}

function pullOf(resource: NamedResource, admitted: Admitted): Pull {
  const { request, exchange } = admitted;
  const { routed, upstream } = whereTo(resource, admitted);
  exchange.upstream = upstream.name;
  return { request, name: resource.name, upstream, repository: routed.repository, delivery: routed.blobs };
}

function pushOf(resource: NamedResource, admitted: Admitted): Push {
  const { request, bearer, namespace, parts, exchange } = admitted;
  const { routed, upstream } = whereTo(resource, admitted);
  exchange.upstream = upstream.name;
  if (!routed.push) throw readOnly();
  if (!upstream.push) throw new RegistryError('UNSUPPORTED', 'the upstream behind this name takes no pushes');
  const { name } = resource;
  const { repository } = routed;
  return {
    request,
    name,
    repository,
    target: upstream.push,
    uploads: parts.uploads,
    owner: { upstream: upstream.name, name, repository, identity: bearer.identity },
    namespace,
    mountSource(from) {
      const source = parseRepositoryName(from);
      if (!source || !bearer.decide(source, 'pull').allowed || !bearer.covers(source, 'pull'))
        return undefined;
      const other = parts.router.route({ host: request.host, namespace, name: source });
      return other?.upstream === routed.upstream ? other.repository : undefined;
    },
    note: (details) => {
      exchange.pushed = { ...exchange.pushed, ...details };
    },
  };
}

function whereTo({ name }: NamedResource, { request, namespace, parts }: Admitted) {
  const routed: RoutedName | undefined = parts.router.route({ host: request.host, namespace, name });
  const upstream = routed && parts.upstreams.get(routed.upstream);
  if (!upstream) throw new RegistryError('NAME_UNKNOWN', 'no route leads from this name to a registry');
  return { routed, upstream };
}

/** The registry a containerd mirror stands for. One that is this very host says nothing. */
function readNamespace(request: RegistryRequest): string | undefined {
  const values = request.query.getAll('ns');
  const namespace = values[0]?.toLowerCase();
  if (namespace === undefined) return undefined;
  if (values.length > 1 || !NAMESPACE.test(namespace)) throw badRequest('ns has to be one registry host');
  return namespace === request.host ? undefined : namespace;
}

function readOnly(): RegistryError {
  return new RegistryError(
    'UNSUPPORTED',
    'this name is read-only here; set push: true on its route, or push to the registry behind it',
  );
}

function methodNotAllowed(resource: Resource): RegistryError {
  return new RegistryError('UNSUPPORTED', 'this method is not supported here', {
    headers: { Allow: allowedMethods(resource) },
  });
}
