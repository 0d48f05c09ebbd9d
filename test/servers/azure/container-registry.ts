import { SignJWT } from 'jose';
import { type CloudRegistry, startCloudRegistry } from '../cloud-registry.ts';
import type { ServiceAnswer } from '../http-service.ts';
import type { Entra } from './entra.ts';

export interface ContainerRegistryOptions {
  readonly entra: Entra;
  /** Principals with the role AcrPull. */
  readonly readers: readonly string[];
  readonly now?: () => number;
}

/** Azure Container Registry: exchanges tokens of Entra ID for its own, and takes those as the password of nobody. */
export interface ContainerRegistry extends CloudRegistry {
  /** From now on, refresh tokens that are out are not taken. */
  revokeAll(): void;
}

const RESOURCES = ['https://containerregistry.azure.net', 'https://management.azure.com'];
const NOBODY = '00000000-0000-0000-0000-000000000000';
const LIFETIME_SECONDS = 3 * 3600;

export async function startContainerRegistry(options: ContainerRegistryOptions): Promise<ContainerRegistry> {
  const { entra, readers, now = Date.now } = options;
  const refreshTokens = new Map<string, { principalId: string; endsAt: number }>();

  async function exchange(form: URLSearchParams): Promise<ServiceAnswer> {
    if (form.get('grant_type') !== 'access_token')
      return refusal(400, 'UNSUPPORTED', 'Unsupported grant type.');
    if (form.get('service') !== registry.service.host)
      return refusal(400, 'UNSUPPORTED', 'The service is not this registry.');
    const grant = await entra.grantOf(form.get('access_token') ?? '');
    if (!grant || !RESOURCES.includes(grant.resource)) {
      return refusal(
        401,
        'UNAUTHORIZED',
        'authentication required, visit https://aka.ms/acr/authorization for more information.',
      );
    }
    const seconds = Math.floor(now() / 1000);
    const endsAt = seconds + LIFETIME_SECONDS;
    const token = await new SignJWT({
      grant_type: 'refresh_token',
      appid: grant.principalId,
      tenant: grant.tenantId,
    })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer('Azure Container Registry')
      .setAudience(registry.service.host)
      .setIssuedAt(seconds)
      .setJti(crypto.randomUUID())
      .setExpirationTime(endsAt)
      .sign(Buffer.from('only the registry has to read its tokens'));
    refreshTokens.set(token, { principalId: grant.principalId, endsAt });
    return { status: 200, body: { refresh_token: token } };
  }

  const registry: CloudRegistry = await startCloudRegistry({
    tokenPath: '/oauth2/token',
    refuse: (username, password) => {
      const known = refreshTokens.get(password);
      if (username !== NOBODY || !known || known.endsAt * 1000 <= now()) {
        return refusal(
          401,
          'UNAUTHORIZED',
          'authentication required, visit https://aka.ms/acr/authorization for more information.',
        );
      }
      return readers.includes(known.principalId)
        ? undefined
        : refusal(
            401,
            'UNAUTHORIZED',
            'authentication required, visit https://aka.ms/acr/authorization for more information.',
          );
    },
    answer: ({ method, url, body }) =>
      method === 'POST' && url.pathname === '/oauth2/exchange'
        ? exchange(new URLSearchParams(body))
        : undefined,
  });
  return { ...registry, revokeAll: () => refreshTokens.clear() };
}

function refusal(status: number, code: string, message: string): ServiceAnswer {
  return { status, body: { errors: [{ code, message, detail: null }] } };
}
