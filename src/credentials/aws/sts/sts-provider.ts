import type { Clock } from '../../../core/index.ts';
import { formatStsProof } from '../../../machine-identity/index.ts';
import { createCredentialCache } from '../../credential-cache.ts';
import { withFailurePause } from '../../failure-pause.ts';
import type { Credential, CredentialProvider } from '../../provider.ts';
import { describeAwsError } from '../aws-error.ts';
import { createCredentialChain } from '../credential-chain.ts';
import { findRegion } from '../region.ts';
import type { StsCredentialOptions } from './options.ts';
import { signStsRequest } from './sign-request.ts';

/** AWS takes a signature for 15 minutes; the rest is for clocks that differ, and for the way. */
const LIFETIME_MS = 10 * 60_000;

/**
 * Signed requests by which a proxy learns, from AWS itself, whose machine this is. Nothing is sent to AWS from here but what
 * the SDK needs to find its credentials.
 */
export function createStsProvider(
  options: StsCredentialOptions,
  { clock }: { readonly clock: Clock },
): CredentialProvider {
  const { audience, username } = options;

  async function fetch(_registry: string, signal: AbortSignal): Promise<Credential> {
    try {
      const region = options.region ?? (await findRegion(options, signal));
      const credentials = await createCredentialChain(options, region)();
      const now = clock.now();
      const proof = await signStsRequest({ audience, region }, credentials, new Date(now));
      const endsAt = credentials.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
      return { username, password: formatStsProof(proof), expiresAt: Math.min(now + LIFETIME_MS, endsAt) };
    } catch (error) {
      throw describeAwsError(error, 'sts:GetCallerIdentity', options.profile);
    }
  }

  const cache = createCredentialCache(withFailurePause(fetch, { clock }), { clock });
  return {
    type: 'aws-sts',
    credential: ({ signal }) => cache.get('', signal),
    discard: (credential) => cache.discard(credential),
    close: async () => cache.close(),
  };
}
