import { randomBytes } from 'node:crypto';
import type { AccessKeys } from './account.ts';
import { type Service, type ServiceAnswer, type ServiceRequest, startService } from './service.ts';

/** What an instance finds out about itself. */
export interface InstanceMetadata {
  readonly region: string;
  /** The role of the instance profile, and its keys at the moment. */
  readonly role?: { readonly name: string; readonly keys: () => AccessKeys };
  /** Content of `/latest/dynamic/instance-identity/rsa2048`. */
  readonly rsa2048?: () => string;
}

/** The instance metadata service of one instance. */
export interface Imds extends Service {
  /** `farther`: the answer to the PUT gets lost on the way, as when a container is one hop too far away. */
  distance: 'near' | 'farther';
  /** So many of the next requests are turned away with 503, as when too many come at once. */
  throttled: number;
  /** Switches the service off: every request is answered 403. */
  enabled: boolean;
  /** Sessions that were begun. */
  readonly sessions: number;
  /** As if the lifetime of all was over. */
  endSessions(): void;
}

const MAXIMUM_TTL_SECONDS = 21_600;

/** Version 2 only: a session has to be begun with PUT. @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html */
export async function startImds(
  metadata: InstanceMetadata,
  options: { readonly now?: () => number } = {},
): Promise<Imds> {
  const { now = Date.now } = options;
  const sessions = new Map<string, number>();
  let begun = 0;

  function answer(request: ServiceRequest): ServiceAnswer | undefined {
    if (!imds.enabled) return { status: 403 };
    if (imds.throttled > 0) {
      imds.throttled -= 1;
      return { status: 503 };
    }
    if (request.path === '/latest/api/token') return begin(request);
    const endsAt = sessions.get(request.header('x-aws-ec2-metadata-token') ?? '');
    if (endsAt === undefined || endsAt <= now()) return { status: 401 };
    const content = request.method === 'GET' ? contentOf(request.path) : undefined;
    return content === undefined
      ? { status: 404, headers: { 'content-type': 'text/html' }, body: '<html>404 - Not Found</html>' }
      : { status: 200, headers: { 'content-type': 'text/plain' }, body: content };
  }

  function begin(request: ServiceRequest): ServiceAnswer | undefined {
    if (request.method !== 'PUT') return { status: 405 };
    // The real service refuses what a proxy sent on.
    if (request.header('x-forwarded-for') !== undefined) return { status: 403 };
    const ttl = Number(request.header('x-aws-ec2-metadata-token-ttl-seconds'));
    if (!Number.isInteger(ttl) || ttl < 1 || ttl > MAXIMUM_TTL_SECONDS) return { status: 400 };
    if (imds.distance === 'farther') return undefined;
    const token = randomBytes(40).toString('base64');
    sessions.set(token, now() + ttl * 1000);
    begun += 1;
    return { status: 200, headers: { 'x-aws-ec2-metadata-token-ttl-seconds': String(ttl) }, body: token };
  }

  function contentOf(path: string): string | undefined {
    const { role, region, rsa2048 } = metadata;
    switch (path) {
      case '/latest/meta-data/iam/security-credentials/':
        return role?.name;
      case `/latest/meta-data/iam/security-credentials/${role?.name}`:
        return role && JSON.stringify(credentialsOf(role.keys()));
      case '/latest/meta-data/placement/region':
        return region;
      case '/latest/dynamic/instance-identity/rsa2048':
        return rsa2048?.();
      default:
        return undefined;
    }
  }

  const service = await startService(answer);
  const imds: Imds = {
    ...service,
    distance: 'near',
    throttled: 0,
    enabled: true,
    get sessions() {
      return begun;
    },
    endSessions: () => sessions.clear(),
  };
  return imds;
}

function credentialsOf(keys: AccessKeys): Record<string, string> {
  return {
    Code: 'Success',
    Type: 'AWS-HMAC',
    LastUpdated: new Date().toISOString(),
    AccessKeyId: keys.accessKeyId,
    SecretAccessKey: keys.secretAccessKey,
    Token: keys.sessionToken ?? '',
    Expiration: new Date(keys.expiresAt ?? Date.now() + 3_600_000).toISOString(),
  };
}
