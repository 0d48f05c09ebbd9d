import { type Digest, type Reference, type RepositoryName, referenceText } from '../../../oci/index.ts';

const DOCKER_HUB = 'registry-1.docker.io';
const DOCKER_HUB_ALIASES: readonly string[] = ['docker.io', 'index.docker.io', DOCKER_HUB];

/** A registry's addresses. @see OCI distribution specification 1.1, "Endpoints" */
export class Endpoint {
  /** What is dialled; Docker Hub's other names are not registries. */
  readonly url: URL;
  /** `host[:port]` as in the configuration. */
  readonly name: string;
  readonly #isDockerHub: boolean;

  constructor(url: string) {
    this.url = new URL(url);
    this.name = this.url.host;
    this.#isDockerHub = DOCKER_HUB_ALIASES.includes(this.url.hostname);
    if (this.#isDockerHub) this.url.hostname = DOCKER_HUB;
  }

  manifest(repository: RepositoryName, reference: Reference, query?: URLSearchParams): URL {
    return this.#at(`${this.#nameOf(repository)}/manifests/${referenceText(reference)}`, query);
  }

  blob(repository: RepositoryName, digest: Digest): URL {
    return this.#at(`${this.#nameOf(repository)}/blobs/${digest}`);
  }

  /** Where uploads begin. */
  uploads(repository: RepositoryName, query: URLSearchParams): URL {
    return this.#at(`${this.#nameOf(repository)}/blobs/uploads/`, query);
  }

  tags(repository: RepositoryName, query: URLSearchParams): URL {
    return this.#at(`${this.#nameOf(repository)}/tags/list`, query);
  }

  referrers(repository: RepositoryName, subject: Digest, query: URLSearchParams): URL {
    return this.#at(`${this.#nameOf(repository)}/referrers/${subject}`, query);
  }

  catalog(query: URLSearchParams): URL {
    return this.#at('_catalog', query);
  }

  /** What a token has to be good for. */
  pullScope(repository: RepositoryName): string {
    return `repository:${this.#nameOf(repository)}:pull`;
  }

  pushScope(repository: RepositoryName): string {
    return `repository:${this.#nameOf(repository)}:pull,push`;
  }

  deleteScope(repository: RepositoryName): string {
    return `repository:${this.#nameOf(repository)}:delete`;
  }

  /** The name in the registry's own eyes, for where it does not stand in a path. */
  ownName(repository: RepositoryName): string {
    return this.#nameOf(repository);
  }

  /** Docker Hub keeps names of one segment under `library/`. */
  #nameOf(repository: RepositoryName): string {
    return this.#isDockerHub && !repository.includes('/') ? `library/${repository}` : repository;
  }

  #at(path: string, query?: URLSearchParams): URL {
    const url = new URL(`/v2/${path}`, this.url);
    if (query) url.search = query.toString();
    return url;
  }
}
