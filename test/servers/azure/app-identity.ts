import { type HttpService, startHttpService } from '../http-service.ts';
import type { Entra, ManagedPrincipal } from './entra.ts';

/** The endpoint that App Service and Container Apps give to an app, with the header that only it knows. */
export async function startAppIdentity(
  entra: Entra,
  identity: ManagedPrincipal,
): Promise<HttpService & { readonly env: Readonly<Record<string, string>> }> {
  const secret = 'header-of-the-app';
  const service = await startHttpService(async ({ url, headers }) => {
    if (headers['x-identity-header'] !== secret) {
      return { status: 401, body: { statusCode: 401, message: 'Unauthorized' } };
    }
    if (url.searchParams.get('api-version') !== '2019-08-01')
      return { status: 400, body: { statusCode: 400 } };
    const clientId = url.searchParams.get('client_id');
    if (clientId !== null && clientId !== identity.clientId) {
      return {
        status: 400,
        body: { statusCode: 400, message: 'No User Assigned or Delegated Managed Identity found' },
      };
    }
    const resource = url.searchParams.get('resource') ?? '';
    const { token, endsAt } = await entra.issueManaged(identity, resource);
    return {
      status: 200,
      body: {
        access_token: token,
        expires_on: String(endsAt),
        resource,
        token_type: 'Bearer',
        client_id: identity.clientId,
      },
    };
  });
  return { ...service, env: { IDENTITY_ENDPOINT: `${service.origin}/msi/token`, IDENTITY_HEADER: secret } };
}
