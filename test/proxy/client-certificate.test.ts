import { writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type CertificateAuthority,
  createCertificateAuthority,
  type IssuedCertificate,
} from '../support/certificates.ts';
import { createSite, type RunningProxy, runProxy, type Site, withToken } from './support/running-proxy.ts';

let site: Site;
let running: RunningProxy;
let authority: CertificateAuthority;

beforeEach(async () => {
  site = await createSite();
  authority = await createCertificateAuthority();
  await writeFile(join(site.folder, 'clients.crt'), authority.certificatePem);
});

afterEach(async () => {
  await running.proxy.close();
  await site.remove();
});

const AUTHENTICATION = {
  verifiers: [{ name: 'machines', type: 'mtls' as const, certificateAuthorityFile: 'clients.crt' }],
};
const RULES = [
  {
    name: 'platform',
    when: 'identity.verifier == "machines" && "platform" in identity.groups',
    repositories: ['hello'],
    actions: ['pull' as const],
  },
];
const ADDRESSES = { address: '127.0.0.1:0', adminAddress: '127.0.0.1:0' };
const SUBJECT = 'CN=node1,OU=platform';

describe('in the handshake', () => {
  async function start(): Promise<void> {
    const { certificatePem, keyPem } = await authority.issue(['127.0.0.1']);
    await writeFile(join(site.folder, 'tls.crt'), certificatePem);
    await writeFile(join(site.folder, 'tls.key'), keyPem);
    const tls = {
      certificateFile: 'tls.crt',
      keyFile: 'tls.key',
      clientCertificateAuthorityFile: 'clients.crt',
    };
    running = await runProxy(
      await site.options({
        server: { ...ADDRESSES, tls },
        authentication: AUTHENTICATION,
        authorization: { rules: RULES },
      }),
    );
  }

  function get(
    path: string,
    client?: IssuedCertificate,
    headers = {},
  ): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const options = {
        ca: authority.certificatePem,
        agent: false,
        headers,
        ...(client && { cert: client.certificatePem, key: client.keyPem }),
      };
      request(`${running.url}${path}`, options, (answer) => {
        let body = '';
        answer.on('data', (chunk) => {
          body += chunk;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }));
      })
        .on('error', reject)
        .end();
    });
  }

  it('a certificate stands for a login', async () => {
    await start();
    const client = await authority.issueClient({ subject: SUBJECT });
    const { status, body } = await get('/token?scope=repository:hello:pull', client);
    expect(status).toBe(200);
    const { token, refresh_token } = JSON.parse(body);
    expect(refresh_token).toBeUndefined();
    expect((await get('/v2/hello/manifests/latest', undefined, withToken(token))).status).toBe(200);
    expect((await get('/v2/secret/plans/manifests/v1', undefined, withToken(token))).status).toBe(403);
  });

  it('one of another authority, or none, does not', async () => {
    await start();
    const other = await createCertificateAuthority();
    expect((await get('/token', await other.issueClient({ subject: SUBJECT }))).status).toBe(401);
    expect((await get('/token')).status).toBe(401);
    expect(
      (await get('/token', await authority.issueClient({ subject: SUBJECT, usage: 'server' }))).status,
    ).toBe(401);
  });

  it('a header does not count, whoever sends it', async () => {
    await start();
    const { certificatePem } = await authority.issueClient({ subject: SUBJECT });
    const headers = { 'x-client-certificate': encodeURIComponent(certificatePem) };
    expect((await get('/token', undefined, headers)).status).toBe(401);
  });
});

describe('in a header', () => {
  async function start(trustedProxies: string[]): Promise<void> {
    const server = { ...ADDRESSES, trustedProxies, clientCertificateHeader: 'x-client-certificate' };
    running = await runProxy(
      await site.options({ server, authentication: AUTHENTICATION, authorization: { rules: RULES } }),
    );
  }

  async function ask(value: string): Promise<number> {
    const answer = await fetch(`${running.url}/token`, { headers: { 'x-client-certificate': value } });
    await answer.arrayBuffer();
    return answer.status;
  }

  it('of a trusted proxy, a certificate stands for a login', async () => {
    await start(['127.0.0.1']);
    const { certificatePem } = await authority.issueClient({ subject: SUBJECT });
    expect(await ask(encodeURIComponent(certificatePem))).toBe(200);
    expect(await ask('')).toBe(401);
    for (const nonsense of ['nonsense', '%', encodeURIComponent(certificatePem).slice(0, 200)]) {
      expect(await ask(nonsense)).toBe(400);
    }
  });

  it('of anybody else it does not', async () => {
    await start(['192.0.2.1']);
    const { certificatePem } = await authority.issueClient({ subject: SUBJECT });
    expect(await ask(encodeURIComponent(certificatePem))).toBe(401);
  });
});
