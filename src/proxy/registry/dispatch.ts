import { RegistryError } from '../../oci/index.ts';
import { admit } from './admission.ts';
import { type Answer, jsonAnswer } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { answerBlob } from './handlers/blob.ts';
import { answerCatalog } from './handlers/catalog.ts';
import { answerManifest } from './handlers/manifest.ts';
import type { Pull } from './handlers/pull.ts';
import { answerReferrers } from './handlers/referrers.ts';
import { answerTags } from './handlers/tags.ts';
import { allowedMethods, type NamedResource, neededFor, type Resource } from './operation.ts';
import type { RegistryParts } from './parts.ts';
import { badRequest, type RegistryRequest } from './request.ts';

const NAMESPACE = /^[a-z0-9.-]{1,253}(?::\d{1,5})?$/;

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
  if (need === 'push' || need === 'delete') throw readOnly();

  const pull = (named: NamedResource) => pullOf(request, named, namespace, parts, exchange);
  const answer = await answerResource(resource, pull, () =>
    answerCatalog({ request, parts, bearer, namespace }),
  );
  return namespace === undefined
    ? answer
    : { ...answer, headers: { ...answer.headers, 'OCI-Namespace': namespace } };
}

function answerResource(
  resource: Resource,
  pull: (named: NamedResource) => Pull,
  catalog: () => Promise<Answer>,
): Promise<Answer> | Answer {
  switch (resource.kind) {
    case 'ping':
      return jsonAnswer(200, {});
    case 'catalog':
      return catalog();
    case 'tags':
      return answerTags(pull(resource));
    case 'manifest':
      return answerManifest(pull(resource), resource.reference);
    case 'blob':
      return answerBlob(pull(resource), resource.digest);
    case 'referrers':
      return answerReferrers(pull(resource), resource.digest);
    case 'upload':
      throw readOnly();
  }
}

function pullOf(
  request: RegistryRequest,
  resource: NamedResource,
  namespace: string | undefined,
  parts: RegistryParts,
  exchange: Exchange,
): Pull {
  const routed = parts.router.route({ host: request.host, namespace, name: resource.name });
  const upstream = routed && parts.upstreams.get(routed.upstream);
  if (!upstream) throw new RegistryError('NAME_UNKNOWN', 'no route leads from this name to a registry');
  exchange.upstream = upstream.name;
  return { request, name: resource.name, upstream, repository: routed.repository, delivery: routed.blobs };
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
  return new RegistryError('UNSUPPORTED', 'this registry is read-only; push to the registry behind it');
}

function methodNotAllowed(resource: Resource): RegistryError {
  return new RegistryError('UNSUPPORTED', 'this method is not supported here', {
    headers: { Allow: allowedMethods(resource) },
  });
}
