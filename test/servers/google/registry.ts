import { type CloudRegistry, startCloudRegistry } from '../cloud-registry.ts';
import type { ServiceAnswer } from '../http-service.ts';
import type { GoogleIdentity } from './identity.ts';

/** Artifact Registry: takes access tokens of accounts that may read. */
export function startArtifactRegistry(
  identity: GoogleIdentity,
  readers: readonly string[],
): Promise<CloudRegistry> {
  return startCloudRegistry({
    tokenPath: '/v2/token',
    refuse: (username, password) => {
      const access = identity.accessOf(password);
      if (username !== 'oauth2accesstoken' || !access) {
        return refusal(401, 'UNAUTHORIZED', 'authentication failed');
      }
      return readers.includes(access.email)
        ? undefined
        : refusal(
            403,
            'DENIED',
            'Permission "artifactregistry.repositories.downloadArtifacts" denied on resource (or it may not exist)',
          );
    },
  });
}

function refusal(status: number, code: string, message: string): ServiceAnswer {
  return { status, body: { errors: [{ code, message }] } };
}
