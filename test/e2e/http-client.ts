import { createHash } from 'node:crypto';
import { get as httpGet, type IncomingMessage } from 'node:http';
import type { RunningProxy } from '../support/proxy.ts';
import type { Login } from './clients.ts';
import { basicAuthorization } from './site.ts';

const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/** The Authorization header with a fresh token to pull from a repository. */
export async function pullAuthorization(
  proxy: Pick<RunningProxy, 'url'>,
  repository: string,
  login: Login,
): Promise<string> {
  const challenge = (await fetch(`${proxy.url}/v2/`)).headers.get('www-authenticate') ?? '';
  const [, realm = ''] = /realm="([^"]+)"/.exec(challenge) ?? [];
  const [, service = ''] = /service="([^"]+)"/.exec(challenge) ?? [];
  const url = new URL(realm);
  url.searchParams.set('service', service);
  url.searchParams.set('scope', `repository:${repository}:pull`);
  const response = await fetch(url, { headers: { authorization: basicAuthorization(login) } });
  const { token } = (await response.json()) as { token: string };
  return `Bearer ${token}`;
}

/** GET of a manifest. */
export function getManifest(
  proxy: Pick<RunningProxy, 'url'>,
  repository: string,
  reference: string,
  authorization: string,
): Promise<Response> {
  return fetch(`${proxy.url}/v2/${repository}/manifests/${reference}`, {
    headers: { accept: ACCEPT, authorization },
  });
}

/** GET of a blob; the body waits to be read. */
export function openBlob(
  proxy: Pick<RunningProxy, 'url'>,
  repository: string,
  digest: string,
  authorization: string,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const url = `${proxy.url}/v2/${repository}/blobs/${digest}`;
    httpGet(url, { headers: { authorization }, agent: false }, resolve).once('error', reject);
  });
}

/** What a body turned out to be. @throws Error when it breaks off */
export async function digestBody(response: IncomingMessage): Promise<{ digest: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { digest: `sha256:${hash.digest('hex')}`, bytes };
}
