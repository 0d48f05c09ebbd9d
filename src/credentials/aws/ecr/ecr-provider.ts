import { type Clock, Secret } from '../../../core/index.ts';
import { createCredentialCache } from '../../credential-cache.ts';
import { CredentialOptionsError } from '../../errors.ts';
import { withFailurePause } from '../../failure-pause.ts';
import type { Credential, CredentialProvider } from '../../provider.ts';
import { AwsError, describeAwsError } from '../aws-error.ts';
import { createEcrClients, type EcrClients, type EcrToken } from './ecr-clients.ts';
import { type EcrHost, parseEcrHost } from './ecr-host.ts';
import type { EcrCredentialOptions } from './options.ts';

const USERNAME = 'AWS';
const LIFETIME_MS = 12 * 60 * 60_000;
const MAXIMUM_TOKEN_LENGTH = 32 * 1024;

/**
 * Passwords of Amazon ECR, made with the AWS credentials of this machine. They hold for 12 hours and are replaced before
 * that. One provider serves registries of any region and account: their hosts say which.
 */
export function createEcrProvider(
  options: EcrCredentialOptions,
  { clock }: { readonly clock: Clock },
): CredentialProvider {
  const clients: EcrClients = createEcrClients(options);

  async function fetch(registry: string, signal: AbortSignal): Promise<Credential> {
    const host = hostOf(registry, options);
    const action = host.type === 'public' ? 'ecr-public:GetAuthorizationToken' : 'ecr:GetAuthorizationToken';
    try {
      return readToken(await clients.token(host, signal), clock.now());
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof CredentialOptionsError) throw error;
      throw describeAwsError(error, action, options.profile);
    }
  }

  const cache = createCredentialCache(withFailurePause(fetch, { clock }), { clock });
  return {
    type: 'ecr',
    credential: ({ registry, signal }) => cache.get(registry, signal),
    discard: (credential) => cache.discard(credential),
    async close() {
      cache.close();
      clients.close();
    },
  };
}

function hostOf(
  registry: string,
  { region }: EcrCredentialOptions,
): EcrHost | { type: 'named'; region: string } {
  const host = parseEcrHost(registry);
  if (host) return host;
  if (region === undefined) {
    throw new CredentialOptionsError(
      `${registry} is no host of Amazon ECR: correct the upstream's url, or set region where the registry has a name of its own`,
    );
  }
  return { type: 'named', region };
}

/** The end that AWS names is by another clock than ours; that it is at most 12 hours away is certain. */
function readToken({ authorizationToken, expiresAt }: EcrToken, now: number): Credential {
  const text = authorizationToken ?? '';
  const decoded = text.length <= MAXIMUM_TOKEN_LENGTH ? Buffer.from(text, 'base64').toString('utf8') : '';
  const prefix = `${USERNAME}:`;
  if (!decoded.startsWith(prefix) || !/^[\x21-\x7e]+$/.test(decoded)) {
    throw new AwsError('GetAuthorizationToken: the answer holds no password', 'InvalidAnswer');
  }
  const lifetimeMs = expiresAt ? expiresAt.getTime() - now : LIFETIME_MS;
  return {
    username: USERNAME,
    password: new Secret(decoded.slice(prefix.length)),
    expiresAt: now + Math.min(lifetimeMs, LIFETIME_MS),
  };
}
