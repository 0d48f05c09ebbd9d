import { parseRepositoryName, type RepositoryName } from '../../oci/index.ts';
import type { RouteOptions } from './options.ts';

/** A name as a client asks for it, and by which door. */
export interface AskedName {
  /** The host that the client used, in lower case, with the port if it is not the scheme's own. */
  readonly host: string;
  /** The registry a mirror stands for: `?ns=`. */
  readonly namespace: string | undefined;
  readonly name: RepositoryName;
}

/** Where a name leads. */
export interface RoutedName {
  /** Position of the route in the configuration, from 0. */
  readonly index: number;
  readonly upstream: string;
  /** The name at the upstream. */
  readonly repository: RepositoryName;
  readonly blobs: RouteOptions['blobs'];
  /** Whether it takes pushes and deletes. */
  readonly push: boolean;
}

/** A route that can list names: the way back, from an upstream's repository to the client's name. */
export interface Listing {
  readonly upstream: string;
  /** @returns undefined where the route does not lead to this repository. */
  clientName(repository: RepositoryName): RepositoryName | undefined;
}

export interface Router {
  /** The first route that matches; undefined when none does, and then the name is unknown. */
  route(asked: AskedName): RoutedName | undefined;
  /** All routes that a client at this door can reach, in order. */
  listings(door: Omit<AskedName, 'name'>): readonly Listing[];
}

const PLACEHOLDER = '{name}';
const DOCKER_HUB_SPELLINGS: ReadonlySet<string> = new Set([
  'docker.io',
  'index.docker.io',
  'registry-1.docker.io',
]);

/**
 * Maps names by host, by path and by namespace. A request that names a namespace only takes routes that name it too: a
 * mirror's `library/alpine` is another thing than our own.
 */
export function createRouter(routes: readonly RouteOptions[]): Router {
  const compiled = routes.map((options, index) => new Route(options, index));

  function route(asked: AskedName): RoutedName | undefined {
    for (const candidate of compiled) {
      if (!candidate.opensTo(asked)) continue;
      const repository = candidate.upstreamName(asked.name);
      if (repository)
        return {
          index: candidate.index,
          upstream: candidate.options.upstream,
          repository,
          blobs: candidate.options.blobs,
          push: candidate.options.push,
        };
    }
    return undefined;
  }

  function listings(door: Omit<AskedName, 'name'>): Listing[] {
    return compiled
      .filter((candidate) => candidate.opensTo(door))
      .map((candidate) => ({
        upstream: candidate.options.upstream,
        clientName: (repository) => {
          const name = candidate.clientName(repository);
          return name && route({ ...door, name })?.index === candidate.index ? name : undefined;
        },
      }));
  }

  return { route, listings };
}

class Route {
  readonly #pathPrefix: string;
  readonly #repositoryPrefix: string;
  readonly #namespace: string | undefined;

  constructor(
    readonly options: RouteOptions,
    readonly index: number,
  ) {
    this.#pathPrefix = options.match.path === undefined ? '' : `${options.match.path}/`;
    this.#repositoryPrefix = options.repository.slice(0, -PLACEHOLDER.length);
    this.#namespace = canonicalNamespace(options.match.namespace);
  }

  opensTo(door: Omit<AskedName, 'name'>): boolean {
    return canonicalNamespace(door.namespace) === this.#namespace && this.#hostMatches(door.host);
  }

  upstreamName(name: RepositoryName): RepositoryName | undefined {
    if (!name.startsWith(this.#pathPrefix)) return undefined;
    return parseRepositoryName(this.#repositoryPrefix + name.slice(this.#pathPrefix.length));
  }

  clientName(repository: RepositoryName): RepositoryName | undefined {
    if (!repository.startsWith(this.#repositoryPrefix)) return undefined;
    return parseRepositoryName(this.#pathPrefix + repository.slice(this.#repositoryPrefix.length));
  }

  #hostMatches(host: string): boolean {
    const wanted = this.options.match.host;
    return (
      wanted === undefined ||
      wanted === host ||
      (!/:\d+$/.test(wanted) && wanted === host.replace(/:\d+$/, ''))
    );
  }
}

/** Docker Hub goes by three names; they are one registry. */
function canonicalNamespace(namespace: string | undefined): string | undefined {
  return namespace !== undefined && DOCKER_HUB_SPELLINGS.has(namespace) ? 'docker.io' : namespace;
}
