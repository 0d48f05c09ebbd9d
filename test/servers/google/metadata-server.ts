import {
  type HttpService,
  type ServiceAnswer,
  type ServiceRequest,
  startHttpService,
} from '../http-service.ts';
import type { GoogleAccount, GoogleIdentity, GoogleInstance } from './identity.ts';

export interface MetadataMachine {
  /** Undefined for a machine without a service account. */
  readonly account: GoogleAccount | undefined;
  readonly instance: GoogleInstance;
}

/** The metadata server of one machine; `host` is what GCE_METADATA_HOST takes. */
export interface GoogleMetadataServer extends HttpService {
  /** The next so many requests are answered with this status. */
  failNext(count: number, status: number): void;
}

const HEADERS = { 'metadata-flavor': 'Google', server: 'Metadata Server for VM' };
const ROOT = '/computeMetadata/v1/instance/';

export async function startGoogleMetadataServer(
  identity: GoogleIdentity,
  { account, instance }: MetadataMachine,
): Promise<GoogleMetadataServer> {
  let failing = { count: 0, status: 0 };

  async function answer({ method, url, headers }: ServiceRequest): Promise<ServiceAnswer> {
    if (headers['metadata-flavor'] !== 'Google') return page(403, 'Missing Metadata-Flavor:Google header.');
    // Such a request came through a proxy, and may be somebody else's.
    if (headers['x-forwarded-for'] !== undefined) return page(403, 'Request has X-Forwarded-For.');
    if (failing.count > 0) {
      failing = { ...failing, count: failing.count - 1 };
      return page(failing.status, 'Try again.');
    }
    if (method !== 'GET') return page(405, 'Method not allowed.');
    if (url.pathname === `${ROOT}zone`)
      return text(`projects/${instance.project_number}/zones/${instance.zone}`);
    const found = /^service-accounts\/([^/]+)\/(token|identity|email)$/.exec(url.pathname.slice(ROOT.length));
    if (!account || !url.pathname.startsWith(ROOT) || !found || !isAccount(found[1], account)) {
      return page(404, 'The requested URL was not found on this server.');
    }
    if (found[2] === 'email') return text(account.email);
    if (found[2] === 'token') {
      const { token, seconds } = identity.issueAccess(
        account.email,
        'https://www.googleapis.com/auth/cloud-platform',
      );
      const body = { access_token: token, expires_in: seconds, token_type: 'Bearer' };
      return { status: 200, headers: HEADERS, body };
    }
    const audience = url.searchParams.get('audience') ?? '';
    if (audience === '') return page(400, 'non-empty audience parameter required');
    const isFull = url.searchParams.get('format') === 'full';
    return text(await identity.sign(identity.claimsFor(account, audience, isFull ? instance : undefined)));
  }

  const service = await startHttpService(answer);
  return {
    ...service,
    failNext: (count, status) => {
      failing = { count, status };
    },
  };
}

function isAccount(name: string | undefined, account: GoogleAccount): boolean {
  return name === 'default' || name === account.email;
}

function text(body: string): ServiceAnswer {
  return { status: 200, headers: { ...HEADERS, 'content-type': 'text/html' }, body };
}

function page(status: number, message: string): ServiceAnswer {
  return {
    status,
    headers: { ...HEADERS, 'content-type': 'text/html; charset=UTF-8' },
    body: `<!DOCTYPE html>\n<html lang=en>\n<title>Error ${status}</title>\n<p>${message}\n`,
  };
}
