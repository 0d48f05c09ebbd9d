import type { RepositoryName } from '../../../oci/index.ts';
import type { Bearer } from '../../token/index.ts';
import type { Upstream } from '../../upstream/index.ts';
import type { Answer } from '../answer.ts';
import type { Resource } from '../operation.ts';
import type { RegistryParts } from '../parts.ts';
import type { RegistryRequest } from '../request.ts';
import { answerBlob } from './blob.ts';
import { answerManifest } from './manifest.ts';
import { answerReferrers } from './referrers.ts';
import { answerTags } from './tags.ts';

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

/** What needs the right to pull. */
export type PulledResource = Extract<Resource, { kind: 'tags' | 'manifest' | 'blob' | 'referrers' }>;

export function answerPull(pull: Pull, resource: PulledResource): Promise<Answer> {
  switch (resource.kind) {
    case 'tags':
      return answerTags(pull);
    case 'manifest':
      return answerManifest(pull, resource.reference);
    case 'blob':
      return answerBlob(pull, resource.digest);
    case 'referrers':
      return answerReferrers(pull, resource.digest);
  }
}
