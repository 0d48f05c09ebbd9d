import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CertificateAuthority, createCertificateAuthority } from '../support/certificates.ts';
import { createSite, type RunningProxy, runProxy, type Site } from './support/running-proxy.ts';

let site: Site;
let running: RunningProxy;
let authority: CertificateAuthority;

beforeEach(async () => {
  site = await createSite();
  authority = await createCertificateAuthority();
});

afterEach(async () => {
  await running.proxy.close();
  await site.remove();
});

async function optionsWithNewCertificate() {
  const { certificatePem, keyPem } = await authority.issue(['docker.example.com']);
  await writeFile(join(site.folder, 'tls.crt'), certificatePem);
  await writeFile(join(site.folder, 'tls.key'), keyPem);
  const tls = { certificateFile: 'tls.crt', keyFile: 'tls.key' };
  const server = { address: '127.0.0.1:0', adminAddress: '127.0.0.1:0', tls };
  return { certificatePem, options: await site.options({ server }) };
}

function open(): Promise<TLSSocket> {
  const port = Number(new URL(running.url).port);
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      ca: authority.certificatePem,
      servername: 'docker.example.com',
    };
    const socket = connect(options, () => resolve(socket)).once('error', reject);
  });
}

async function servedFingerprint(): Promise<string> {
  const socket = await open();
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

function ask(socket: TLSSocket): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('data', (data) => resolve(data.toString())).once('error', reject);
    socket.write('GET /v2/ HTTP/1.1\r\nHost: docker.example.com\r\n\r\n');
  });
}

describe('https', () => {
  it('is served with the configured certificate, and the realm says https', async () => {
    const { certificatePem, options } = await optionsWithNewCertificate();
    running = await runProxy(options);
    expect(running.url).toMatch(/^https:/);
    expect(await servedFingerprint()).toBe(new X509Certificate(certificatePem).fingerprint256);
    const socket = await open();
    expect(await ask(socket)).toContain('realm="https://docker.example.com/token"');
    socket.destroy();
  });

  it('takes a new certificate into use without cutting connections that stand', async () => {
    running = await runProxy((await optionsWithNewCertificate()).options);
    const before = await servedFingerprint();
    const standing = await open();
    const { certificatePem, options } = await optionsWithNewCertificate();
    await running.proxy.reload(options);
    expect(await servedFingerprint()).toBe(new X509Certificate(certificatePem).fingerprint256);
    expect(await servedFingerprint()).not.toBe(before);
    expect(await ask(standing)).toContain('401');
    standing.destroy();
  });
});
