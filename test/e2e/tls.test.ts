import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Nginx, startContainerd, startDockerd, startNginx } from '../servers/index.ts';
import { createCertificateAuthority } from '../support/certificates.ts';
import { type PushedImage, pushImage } from '../support/images.ts';
import { findFreePort } from '../support/ports.ts';
import { startProxy } from '../support/proxy.ts';
import { useResources } from '../support/resources.ts';
import { createCtr, createDockerClient, createPodman, createSkopeo } from './clients.ts';
import { expectFailure, expectSuccess } from './expectations.ts';
import { ALICE, SITE_FILES, siteConfiguration, startPrivateRegistry } from './site.ts';

const CREDENTIALS = ['--creds', `${ALICE.username}:${ALICE.password}`];

describe('behind nginx, which terminates TLS', () => {
  const keep = useResources();
  let app: PushedImage;
  let host: string;
  let authorityPem: string;
  let certificateFolder: string;

  beforeAll(async () => {
    const registry = keep(await startPrivateRegistry());
    app = await pushImage(registry, 'acme/team/app', 'v1', { layers: 3 });
    const authority = await createCertificateAuthority();
    const { certificatePem, keyPem } = await authority.issue(['127.0.0.1', 'localhost']);
    authorityPem = authority.certificatePem;

    const proxyPort = await findFreePort();
    const nginx: Nginx = keep(
      await startNginx({
        files: { 'tls.crt': certificatePem, 'tls.key': keyPem },
        http: ([port], folder) => `server {
          listen 127.0.0.1:${port} ssl;
          ssl_certificate ${folder}/tls.crt;
          ssl_certificate_key ${folder}/tls.key;
          client_max_body_size 0;
          location / {
            proxy_pass http://127.0.0.1:${proxyPort};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
          }
        }`,
      }),
    );
    host = `127.0.0.1:${nginx.ports[0]}`;
    const server = { address: `127.0.0.1:${proxyPort}`, publicUrl: `https://${host}` };
    keep(await startProxy(siteConfiguration(registry, { server }), { files: SITE_FILES }));

    certificateFolder = join(nginx.folder, 'trusted');
    await mkdir(certificateFolder);
    await writeFile(join(certificateFolder, 'ca.crt'), authorityPem);
  });

  it('the challenge names an https realm', async () => {
    const challenge = await new Promise<string | undefined>((resolve, reject) => {
      request(`https://${host}/v2/`, { ca: authorityPem }, (response) => {
        response.resume();
        resolve(response.headers['www-authenticate']);
      })
        .once('error', reject)
        .end();
    });
    expect(challenge).toContain(`realm="https://${host}/`);
  });

  it('skopeo pulls, trusting the authority', async () => {
    const skopeo = keep(await createSkopeo());
    const options = ['--cert-dir', certificateFolder, ...CREDENTIALS];
    const result = await skopeo.run('inspect', ...options, `docker://${host}/team/app:v1`);
    expectSuccess(result);
    expect(JSON.parse(result.stdout)).toMatchObject({ Digest: app.digest });
  });

  it('skopeo does not pull without trusting the authority', async () => {
    const skopeo = keep(await createSkopeo());
    expectFailure(await skopeo.run('inspect', ...CREDENTIALS, `docker://${host}/team/app:v1`), /certificate/);
  });

  it('podman pulls', async () => {
    const podman = keep(await createPodman());
    const options = ['--cert-dir', certificateFolder, ...CREDENTIALS];
    expectSuccess(await podman.run('pull', ...options, `${host}/team/app@${app.digest}`));
  });

  it('containerd pulls', async () => {
    const ctr = keep(await createCtr(keep(await startContainerd())));
    // Without a hosts.toml containerd takes a loopback address for plain http.
    const hostsFolder = join(ctr.home, 'hosts');
    await mkdir(join(hostsFolder, host), { recursive: true });
    const trust = `server = "https://${host}"
[host."https://${host}"]
  ca = "${join(certificateFolder, 'ca.crt')}"
`;
    await writeFile(join(hostsFolder, host, 'hosts.toml'), trust);
    const user = ['--user', `${ALICE.username}:${ALICE.password}`];
    expectSuccess(
      await ctr.run(
        'images',
        'pull',
        '--snapshotter',
        'native',
        '--hosts-dir',
        hostsFolder,
        ...user,
        `${host}/team/app:v1`,
      ),
    );
    expect((await ctr.run('images', 'list')).stdout).toContain(app.digest);
  });

  it('docker logs in and pulls', async () => {
    const docker = keep(await createDockerClient(keep(await startDockerd())));
    expectSuccess(await docker.login(host, ALICE));
    expect((await docker.storedLogin(host))?.identitytoken).toMatch(/./);
    expectSuccess(await docker.pull(`${host}/team/app:v1`));
    expect(await docker.digests(`${host}/team/app:v1`)).toContain(app.digest);
  });
});
