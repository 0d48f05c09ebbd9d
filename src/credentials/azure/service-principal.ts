import { createHash, randomUUID } from 'node:crypto';
import type { Clock } from '../../core/index.ts';
import type { HttpClient } from '../../network/index.ts';
import { askService, type JsonAnswer, textIn } from '../json-service.ts';
import { readTokenFile } from '../token-file.ts';
import { CredentialUnavailableError } from '../unavailable.ts';
import type { ClientProof } from './client-proof.ts';
import type { EntraToken } from './entra-token.ts';

export interface ServicePrincipal {
  readonly tenantId: string;
  readonly clientId: string;
  /** Without a slash at its end. */
  readonly authority: string;
  readonly proof: ClientProof;
}

const WHOLE_MS = 10_000;
const ASSERTION_SECONDS = 600;
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** What to do about the errors of Entra ID that come up here. */
const ADVICE: readonly (readonly [code: number, advice: string])[] = [
  [7000215, 'the client secret is wrong: its value is needed, not its id'],
  [7000222, 'the client secret has ended: make a new one'],
  [700016, 'the tenant has no application of this clientId'],
  [90002, 'there is no tenant of this tenantId'],
  [700027, 'the application does not know the certificate: upload it there'],
  [70021, 'the application has no federated credential for the issuer and subject of the token'],
  [700211, 'the application has no federated credential for the issuer of the token'],
  [700213, 'the application has no federated credential for the subject of the token'],
  [
    700212,
    'the token has another audience than the federated credential: usually api://AzureADTokenExchange',
  ],
  [700024, "the token has ended, or this machine's clock is off"],
  [500011, 'the tenant does not know the resource (or the audience) that the token is for'],
];

/**
 * Asks Entra ID by the client credentials grant.
 * @throws {CredentialUnavailableError}
 * @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 */
export async function requestClientToken(
  principal: ServicePrincipal,
  resource: string,
  { client, clock }: { readonly client: HttpClient; readonly clock: Clock },
  signal: AbortSignal,
): Promise<EntraToken> {
  const { tenantId, clientId, authority } = principal;
  const url = new URL(`${authority}/${tenantId}/oauth2/v2.0/token`);
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    scope: `${resource.replace(/\/$/, '')}/.default`,
    ...(await proofParameters(principal, url, clock)),
  }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
  const answer = await askService(
    client,
    'Entra ID',
    url,
    { method: 'POST', headers, body, signal },
    WHOLE_MS,
  );
  if (answer.status !== 200) throw refusal(answer);
  const token = textIn(answer.body, 'access_token');
  const seconds = Number(answer.body.expires_in);
  if (token === undefined || !Number.isFinite(seconds)) {
    throw new CredentialUnavailableError('the answer of Entra ID holds no access token');
  }
  return { token, expiresAt: clock.now() + seconds * 1000 };
}

async function proofParameters(
  { proof, clientId }: ServicePrincipal,
  url: URL,
  clock: Clock,
): Promise<Record<string, string>> {
  if (proof.type === 'secret') return { client_secret: proof.secret.reveal() };
  const assertion =
    proof.type === 'federated'
      ? await readTokenFile(proof.path)
      : await certificateAssertion(proof, clientId, url.href, clock);
  return { client_assertion_type: ASSERTION_TYPE, client_assertion: assertion };
}

/** @see https://learn.microsoft.com/entra/identity-platform/certificate-credentials */
async function certificateAssertion(
  { certificate, key }: Extract<ClientProof, { type: 'certificate' }>,
  clientId: string,
  audience: string,
  clock: Clock,
): Promise<string> {
  const seconds = Math.floor(clock.now() / 1000);
  const thumbprint = createHash('sha256').update(certificate.raw).digest('base64url');
  const { SignJWT } = await import('jose');
  return new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg: 'PS256', typ: 'JWT', 'x5t#S256': thumbprint })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(audience)
    .setIssuedAt(seconds)
    .setNotBefore(seconds)
    .setExpirationTime(seconds + ASSERTION_SECONDS)
    .sign(key);
}

/** The description names the client and the time, and may quote the assertion's claims; its code says enough. */
function refusal({ status, body }: JsonAnswer): CredentialUnavailableError {
  const description = typeof body.error_description === 'string' ? body.error_description : '';
  const code = /^AADSTS(\d{4,8})\b/.exec(description)?.[1];
  const advice = ADVICE.find(([known]) => String(known) === code)?.[1];
  const words = [code === undefined ? textIn(body, 'error') : `AADSTS${code}`, advice].filter(Boolean);
  return new CredentialUnavailableError(
    `Entra ID answers ${status}: ${words.join(': ') || 'without a word'}`,
  );
}
