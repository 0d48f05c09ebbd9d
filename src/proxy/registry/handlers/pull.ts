import type { RepositoryName } from '../../../oci/index.ts';
import type { Bearer } from '../../token/index.ts';
import type { Upstream } from '../../upstream/index.ts';
import type { RegistryParts } from '../parts.ts';
import type { RegistryRequest } from '../request.ts';

/** An admitted request for something in one repository, and where it leads. */
export interface Pull {
  readonly request: RegistryRequest;
  /** The name as the client asked for it; the only one that may go into an answer. */
  readonly name: RepositoryName;
  readonly upstream: Upstream;
  /** The name at the upstream. */
  readonly repository: RepositoryName;
  readonly delivery: 'stream' | 'redirect';
}

/** An admitted request for a list of repositories. */
export interface CatalogRequest {
  readonly request: RegistryRequest;
  readonly parts: RegistryParts;
  readonly bearer: Bearer;
  /** The registry that a mirror stands for. */
  readonly namespace: string | undefined;
}
