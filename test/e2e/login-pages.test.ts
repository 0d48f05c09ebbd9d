import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { codeBlocks } from '../examples/markdown.ts';
import { type Dockerd, startDockerd, startSlapd } from '../servers/index.ts';
import { type CertificateAuthority, createCertificateAuthority } from '../support/certificates.ts';
import { mustRun } from '../support/commands.ts';
import { type PushedImage, pushImage } from '../support/images.ts';
import { findFreePort } from '../support/ports.ts';
import { startProxy } from '../support/proxy.ts';
import { useResources } from '../support/resources.ts';
import { createTemporaryFolder } from '../support/temporary-folder.ts';
import { createDockerClient, type DockerClient } from './clients.ts';
import { expectFailure, expectSuccess } from './expectations.ts';
import { SITE_FILES, startPrivateRegistry, upstreamOptions } from './site.ts';

/** A code block of a page of the documentation. */
function blockOf(page: string, language: string, holding: string): string {
  const path = join('docs', page);
  const blocks = codeBlocks({ path, text: readFileSync(path, 'utf8') });
  const block = blocks.find((code) => code.language === language && code.text.includes(holding));
  if (!block) throw new Error(`${page} has no ${language} block with ${holding}`);
  return block.text;
}

/** Docker takes 127.0.0.0/8 for a place where no certificate counts; this address is not in it. */
const ADDRESS = '::1';
const NAME = 'docker.example.com';
/** The same machine, for which docker has no client certificate. */
const OTHER_NAME = 'other.example.com';

describe('the page on', () => {
  const keep = useResources();
  let authority: CertificateAuthority;
  let app: PushedImage;
  let upstream: object;
  let tlsFiles: Record<string, string>;
  let engine: Dockerd;
  let machinesPort: number;
  let directoryPort: number;

  beforeAll(async () => {
    const registry = keep(await startPrivateRegistry());
    app = await pushImage(registry, 'app', 'latest');
    upstream = upstreamOptions(registry.url);
    authority = await createCertificateAuthority('authority of servers');
    const { certificatePem, keyPem } = await authority.issue([NAME, OTHER_NAME]);

    const folder = keep(await createTemporaryFolder('openssl'));
    const commands = blockOf('logins/mtls.md', 'sh', 'openssl x509');
    await mustRun('sh', ['-euc', commands], { home: folder.path });
    const made = async (name: string) => readFile(join(folder.path, name), 'utf8');
    const clients = await made('clients.crt');
    tlsFiles = { ...SITE_FILES, 'tls.crt': certificatePem, 'tls.key': keyPem, 'clients.crt': clients };

    machinesPort = await findFreePort();
    directoryPort = await findFreePort();
    const certificates = 'docker/certs.d';
    engine = keep(
      await startDockerd({
        hosts: [`${ADDRESS} ${NAME} ${OTHER_NAME}`],
        etc: {
          [`${certificates}/${NAME}:${machinesPort}/ca.crt`]: authority.certificatePem,
          [`${certificates}/${NAME}:${machinesPort}/client.cert`]: await made('node1.crt'),
          [`${certificates}/${NAME}:${machinesPort}/client.key`]: await made('node1.key'),
          [`${certificates}/${OTHER_NAME}:${machinesPort}/ca.crt`]: authority.certificatePem,
          [`${certificates}/${NAME}:${directoryPort}/ca.crt`]: authority.certificatePem,
        },
      }),
    );
  });

  const tlsServer = (port: number) => ({
    address: `[${ADDRESS}]:${port}`,
    publicUrl: `https://${NAME}:${port}`,
    tls: { certificateFile: 'tls.crt', keyFile: 'tls.key' },
  });

  async function expectPull(client: DockerClient, image: string) {
    expectSuccess(await client.pull(image));
    expect(await client.digests(image)).toContain(app.digest);
  }

  it('client certificates: docker pulls with the one in certs.d, and with none it does not', async () => {
    const written = parse(blockOf('logins/mtls.md', 'yaml', 'type: mtls'));
    const server = { ...tlsServer(machinesPort), tls: written.server.tls };
    keep(await startProxy({ ...written, server, upstreams: { hub: upstream } }, { files: tlsFiles }));
    const client = keep(await createDockerClient(engine));
    await expectPull(client, `${NAME}:${machinesPort}/app`);
    expectFailure(
      await client.pull(`${OTHER_NAME}:${machinesPort}/app`),
      /unauthorized|denied|a login is needed/i,
    );
  });

  it('a directory: docker logs in with the password that is there, and pulls by the group', async () => {
    const password = 'correct horse';
    const suffix = 'dc=example,dc=com';
    const person = (uid: string) =>
      [
        `uid=${uid},ou=people,${suffix}`,
        { objectClass: 'inetOrgPerson', uid, cn: uid, sn: uid, userPassword: password },
      ] as const;
    const unit = (ou: string) => [`ou=${ou},${suffix}`, { objectClass: 'organizationalUnit', ou }] as const;
    const slapd = keep(
      await startSlapd({
        certificate: await authority.issue(['ldap.example.com', '127.0.0.1']),
        entries: [
          [suffix, { objectClass: ['dcObject', 'organization'], dc: 'example', o: 'Example' }],
          ...['people', 'groups', 'services'].map(unit),
          [
            `cn=registry-proxy,ou=services,${suffix}`,
            {
              objectClass: ['organizationalRole', 'simpleSecurityObject'],
              cn: 'registry-proxy',
              userPassword: 'of the proxy',
            },
          ],
          person('anna'),
          person('ben'),
          [
            `cn=platform,ou=groups,${suffix}`,
            { objectClass: 'groupOfNames', cn: 'platform', member: [`uid=anna,ou=people,${suffix}`] },
          ],
        ],
      }),
    );
    const url = `ldaps://127.0.0.1:${slapd.tlsPort}`;
    const folder = keep(await createTemporaryFolder('ldapsearch'));
    // Instead of the question for the password.
    const search = blockOf('logins/ldap.md', 'sh', 'ldapsearch')
      .replaceAll('ldaps://ldap.example.com', url)
      .replaceAll(' -W ', " -w 'of the proxy' ");
    const { stdout } = await mustRun('sh', ['-euc', search], {
      home: folder.path,
      environment: { LDAPTLS_CACERT: await fileOf(folder.path, 'ldap-ca.crt', authority.certificatePem) },
    });
    expect(stdout.match(/^dn: .*$/gm)).toEqual([
      `dn: uid=anna,ou=people,${suffix}`,
      `dn: cn=platform,ou=groups,${suffix}`,
    ]);

    const written = parse(blockOf('logins/ldap.md', 'yaml', 'bindDn: cn=registry-proxy'));
    const [verifier] = written.authentication.verifiers;
    keep(
      await startProxy(
        {
          ...written,
          server: tlsServer(directoryPort),
          upstreams: { hub: upstream },
          routes: [{ upstream: 'hub' }],
          authentication: { verifiers: [{ ...verifier, url }] },
        },
        {
          files: { ...tlsFiles, 'ldap-ca.crt': authority.certificatePem },
          environment: { LDAP_PASSWORD: 'of the proxy' },
        },
      ),
    );
    const host = `${NAME}:${directoryPort}`;
    const anna = keep(await createDockerClient(engine));
    expectFailure(await anna.login(host, { username: 'anna', password: 'wrong' }), /unauthorized|401/i);
    expectSuccess(await anna.login(host, { username: 'anna', password }));
    await expectPull(anna, `${host}/app`);
    const ben = keep(await createDockerClient(engine));
    expectSuccess(await ben.login(host, { username: 'ben', password }));
    expectFailure(await ben.pull(`${host}/app`), /denied|unauthorized|not found/i);
  });

  it('plugins: the first login in five minutes', async () => {
    const folder = keep(await createTemporaryFolder('plugins'));
    const here = (text: string) => text.replaceAll('/etc/drp', folder.path);
    const commands = here(blockOf('plugins.md', 'sh', 'mkdir -p')).replaceAll(
      'examples/plugins',
      resolve('examples/plugins'),
    );
    const { stdout } = await mustRun('sh', ['-euc', commands], { home: folder.path });
    expect(JSON.parse(stdout)).toMatchObject({ identity: { name: 'ada', groups: ['platform'] } });

    const written = parse(here(blockOf('plugins.md', 'yaml', 'name: staff pulls')));
    const proxy = keep(await startProxy({ ...written, upstreams: { hub: upstream } }, { files: SITE_FILES }));
    const client = keep(await createDockerClient(engine));
    const host = `localhost:${new URL(proxy.url).port}`;
    expectFailure(await client.pull(`${host}/app`), /unauthorized|denied|a login is needed/i);
    expectSuccess(await client.run('login', host, '-u', 'ada', '-p', 'correct horse'));
    await expectPull(client, `${host}/app`);
  });
});

async function fileOf(folder: string, name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}
