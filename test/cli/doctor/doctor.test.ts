import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { mediaTypes } from '../../../src/oci/index.ts';
import { startDockerHub } from '../../proxy/upstream/support/docker-hub.ts';
import { SAMPLE_MANIFEST, startFakeRegistry } from '../../proxy/upstream/support/fake-registry.ts';
import { startServer } from '../../proxy/upstream/support/server.ts';
import { createDocumentSigner } from '../../servers/aws/index.ts';
import { createCertificateAuthority } from '../../support/certificates.ts';
import { ownFolder } from '../../support/own-folder.ts';
import { run, runOn } from '../run-program.ts';

interface Line {
  readonly subject: string;
  readonly check: string;
  readonly status: string;
  readonly message: string;
  readonly next?: string;
}

const ROUTES = 'routes: []\n';

// It reads most of the program, which is not to count as time of the first test.
beforeAll(() => import('../../../src/cli/doctor/run-doctor.ts'), 60_000);

async function write(text: string, files: Record<string, string> = {}) {
  const folder = await ownFolder();
  const file = join(folder, 'drp.yaml');
  await writeFile(file, text + ROUTES);
  for (const [name, contents] of Object.entries(files)) await writeFile(join(folder, name), contents);
  return { folder, file };
}

/** Runs it over one upstream, and finds its lines. */
async function examine(upstream: string, files: Record<string, string> = {}) {
  const { file } = await write(`upstreams: { one: ${upstream} }\n`, files);
  const { out, error, exitCode } = await run(['doctor', '-c', file, '--upstream', 'one', '--json']);
  expect(out + error).not.toContain('canary');
  const { results, healthy } = JSON.parse(out) as { results: Line[]; healthy: boolean };
  expect(healthy).toBe(exitCode === 0);
  const find = (check: string) => results.filter((line) => line.check === check);
  return { results, exitCode, find, one: (check: string) => find(check)[0] };
}

const basic = { type: 'basic', username: 'acme', password: 'canary' } as const;
const credentials = (password = 'canary') =>
  `credentials: { type: static, username: acme, password: "${password}" }`;

/** A registry that answers its ping by its login, as real ones do. */
async function registry(login?: typeof basic) {
  const fake = await startFakeRegistry();
  if (login) fake.login = login;
  fake.script((request, response) => {
    const shown = `Basic ${Buffer.from('acme:canary').toString('base64')}`;
    if (request.url !== '/v2/') return false;
    if (login && request.headers.authorization !== shown) return false;
    response.writeHead(200).end('{}');
    return true;
  });
  return fake;
}

describe('an upstream', () => {
  it('that is well: each step is told, and the exit code is 0', async () => {
    const fake = await registry(basic);
    const { results, exitCode } = await examine(`{ url: "${fake.origin}", ${credentials()} }`);
    expect(results.map(({ check, status }) => `${check} ${status}`)).toEqual([
      'connection ok',
      'registry ok',
      'realm ok',
      'clock ok',
      'credential ok',
      'login ok',
    ]);
    expect(exitCode).toBe(0);
  });

  it('whose password is wrong: one attempt, and what to look at', async () => {
    const fake = await registry(basic);
    const { one, exitCode } = await examine(`{ url: "${fake.origin}", ${credentials('canary-wrong')} }`);
    expect(one('login')).toMatchObject({
      status: 'fail',
      message: 'the registry answers 401 to the credential',
      next: expect.stringContaining('correct the credential'),
    });
    expect(exitCode).toBe(1);
    expect(fake.requests.filter(({ headers }) => headers.authorization)).toHaveLength(1);
  });

  it('that nobody listens at: what depends on it is skipped', async () => {
    const gone = await registry();
    const { one, find } = await examine(`{ url: "http://127.0.0.1:1" }`);
    expect(one('connection')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    expect(find('login')[0]).toMatchObject({ status: 'skipped' });
    expect(gone.requests).toHaveLength(0);
  });

  it('whose name has no address', async () => {
    const { one } = await examine(`{ url: "https://registry.invalid" }`);
    expect(one('name')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('registry.invalid'),
    });
    expect(one('connection')?.status).toBe('skipped');
  });

  it('that is no registry', async () => {
    const site = await startServer(
      (_request, response) => void response.writeHead(301, { location: '/x' }).end(),
    );
    const { one } = await examine(`{ url: "${site.origin}" }`);
    expect(one('registry')).toMatchObject({ status: 'fail', message: '/v2/ answers 301' });
  });

  it('whose certificate is not trusted, and then is', async () => {
    const authority = await createCertificateAuthority();
    const fake = await startFakeRegistry(await authority.issue(['127.0.0.1']));
    fake.script((_request, response) => {
      response.writeHead(200).end('{}');
      return true;
    });
    const stranger = await examine(`{ url: "${fake.origin}" }`);
    expect(stranger.one('connection')).toMatchObject({
      status: 'fail',
      next: expect.stringContaining('certificateAuthorityFile'),
    });
    const known = await examine(`{ url: "${fake.origin}", certificateAuthorityFile: ca.pem }`, {
      'ca.pem': authority.certificatePem,
    });
    expect(known.one('connection')?.status).toBe('ok');
    expect(known.one('certificate')?.message).toMatch(
      /^the registry's certificate (?:is good until|ends on) 20/,
    );
  });

  it('that names a realm which is not allowed: nothing is sent there', async () => {
    const stranger = await startServer((_request, response) => void response.end('{"token":"t"}'));
    const fake = await startFakeRegistry();
    fake.login = { type: 'bearer', realm: `${stranger.origin}/token`, accepts: () => true };
    const { one } = await examine(`{ url: "${fake.origin}", ${credentials()} }`);
    expect(one('realm')).toMatchObject({ status: 'fail', message: expect.stringContaining(stranger.origin) });
    expect(one('login')?.status).toBe('skipped');
    expect(stranger.connectionCount).toBe(0);
  });

  it.each([
    [3600, 'fail', 'this clock is 3600 seconds ahead'],
    [-3600, 'fail', 'this clock is 3600 seconds behind'],
    [120, 'warn', 'this clock is 120 seconds ahead'],
  ])('whose clock is %i seconds away: %s', async (seconds, status, message) => {
    const fake = await startFakeRegistry();
    fake.script((_request, response) => {
      response.setHeader('date', new Date(Date.now() - seconds * 1000).toUTCString());
      response.writeHead(200).end('{}');
      return true;
    });
    const clock = (await examine(`{ url: "${fake.origin}" }`)).one('clock');
    expect(clock?.status).toBe(status);
    // The header has whole seconds.
    expect(clock?.message.replace(/\b(?:359\d|360\d)\b/, '3600').replace(/\b1[12]\d\b/, '120')).toContain(
      message,
    );
  });

  it('whose credential can not be had: the cause is named', async () => {
    const fake = await registry(basic);
    const config = JSON.stringify({ credsStore: 'nowhere' });
    const { one, find } = await examine(
      `{ url: "${fake.origin}", credentials: { type: docker-config, file: config.json } }`,
      { 'config.json': config },
    );
    expect(one('credential')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('there is no program docker-credential-nowhere in '),
    });
    expect(find('login')).toEqual([]);
  });

  it('with a pool: each credential by its place, its login and what it has left', async () => {
    const hub = await startDockerHub(
      { username: 'acme', password: 'canary-a', limit: 100 },
      { username: 'team', password: 'canary-t', limit: 5 },
    );
    hub.registry.script((request, response) => {
      if (request.url !== '/v2/' || !request.headers.authorization) return false;
      response.writeHead(200).end('{}');
      return true;
    });
    hub.registry.script((request) => {
      if (request.url?.startsWith('/v2/ratelimitpreview/')) request.url = '/v2/team/app/manifests/latest';
      return false;
    });
    hub.registry.addManifest(SAMPLE_MANIFEST, mediaTypes.OCI_MANIFEST, 'latest');
    const team = hub.accounts.get('team');
    if (team) team.used = 5;
    const members = `[
      { type: dockerhub, username: acme, password: canary-a }, { type: dockerhub, username: team, password: canary-t }]`;
    const { find, exitCode } = await examine(
      `{ url: "${hub.registry.origin}", realms: ["${hub.tokens.origin}"], credentials: { type: pool, members: ${members} } }`,
    );
    expect(find('login').map(({ message }) => message)).toEqual([
      'credential 0: accepted',
      'credential 1: accepted',
    ]);
    expect(find('rate limit')).toMatchObject([
      { status: 'ok', message: 'credential 0: 100 of 100 pulls left in 6 hours, counted by account' },
      { status: 'warn', message: 'credential 1: 0 of 5 pulls left in 6 hours, counted by account' },
    ]);
    expect(find('credential type')[0]?.status).toBe('warn');
    expect(exitCode).toBe(0);
    // What is asked costs nothing.
    expect(hub.accounts.get('acme')?.used).toBe(0);
    expect(hub.takeManifestRequests()).toEqual(['HEAD acme', 'HEAD team']);
  });

  it('that is a folder', async () => {
    const { file, folder } = await write('upstreams: { air: { layout: ./images } }\n');
    expect((await run(['doctor', '-c', file, '--upstream', 'air'])).exitCode).toBe(1);
    await mkdir(join(folder, 'images'));
    expect((await run(['doctor', '-c', file, '--upstream', 'air'])).exitCode).toBe(0);
  });
});

describe('the server side', () => {
  async function server(text: string, prepare: (folder: string) => Promise<void> = async () => {}) {
    const { file, folder } = await write(`upstreams: {}\n${text}`);
    await prepare(folder);
    const { out } = await run(['doctor', '-c', file, '--json']);
    const { results } = JSON.parse(out) as { results: Line[] };
    const all = (check: string) => results.filter((line) => line.check === check);
    return Object.assign((check: string) => all(check)[0], { all });
  }

  it.each([
    ['', 'ok', 'the host that they ask for'],
    ['server: { address: "0.0.0.0:5000" }\n', 'warn', 'http://'],
    ['server: { address: "0.0.0.0:5000", trustedProxies: [10.0.0.0/8] }\n', 'ok', 'X-Forwarded-Host'],
    ['server: { publicUrl: "http://docker.example.com" }\n', 'warn', 'passwords can be read'],
    ['server: { publicUrl: "https://docker.invalid" }\n', 'ok', 'https://docker.invalid'],
  ])('public url: %j is %s', async (text, status, message) => {
    const find = await server(text);
    expect(find('public url')).toMatchObject({ status, message: expect.stringContaining(message) });
  });

  it.each([
    ['server: { publicUrl: "https://docker.invalid" }\n', 'warn', 'no proxy is trusted'],
    ['server: { trustedProxies: [0.0.0.0/0] }\n', 'warn', 'believes everybody'],
    ['server: { publicUrl: "https://docker.invalid", trustedProxies: [10.0.0.0/8] }\n', 'ok', '10.0.0.0/8'],
  ])('proxy headers: %j is %s', async (text, status, message) => {
    expect((await server(text))('proxy headers')).toMatchObject({
      status,
      message: expect.stringContaining(message),
    });
  });

  it.each([
    [(origin: string) => `Bearer realm="${origin}/token",service="x"`, 401, 'ok', 'sends clients to'],
    [() => 'Bearer realm="http://other.example.com/token"', 401, 'fail', 'http://other.example.com/token'],
    [() => 'Basic realm="x"', 401, 'fail', 'answers 401, and not with a challenge'],
    [() => '', 200, 'fail', 'answers 200'],
  ])('what clients hear at the public URL (%#)', async (headerAt, status, expected, message) => {
    const front = await startServer((_request, response) => {
      response.writeHead(status, { 'www-authenticate': headerAt(front.origin) }).end();
    });
    const find = await server(`server: { publicUrl: "${front.origin}" }\n`);
    expect(find('challenge')).toMatchObject({ status: expected, message: expect.stringContaining(message) });
  });

  it('a public URL that gives no answer is only looked at: the proxy may not be running', async () => {
    expect((await server('server: { publicUrl: "http://127.0.0.1:1" }\n'))('challenge')?.status).toBe('warn');
  });

  it('state and signing key that will be made', async () => {
    const find = await server('');
    expect(find('state')).toMatchObject({ status: 'ok', message: expect.stringContaining('will be made') });
    expect(find('signing key')).toMatchObject({
      status: 'ok',
      message: expect.stringContaining('will be made'),
    });
  });

  it('state and signing key that others can read', async () => {
    const find = await server('', async (folder) => {
      await mkdir(join(folder, 'data'));
      await chmod(join(folder, 'data'), 0o755);
      const { out } = await keyFile(folder);
      await chmod(out, 0o644);
    });
    expect(find('state')).toMatchObject({ status: 'warn', next: expect.stringContaining('chmod 700') });
    expect(find('signing key')).toMatchObject({ status: 'fail', next: expect.stringContaining('chmod 600') });
  });

  it('state in the place of a file can not be kept', async () => {
    const find = await server('state: { type: embedded, directory: ./drp.yaml }\n');
    expect(find('state')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining("can't be written"),
    });
  });

  it('certificates of AWS: which regions they cover, and what a verifier lacks', async () => {
    const verifier = (name: string, regions: string) =>
      `{ name: ${name}, type: aws-iid, certificates: aws, accounts: [], regions: ${regions} }`;
    const text = `authentication: { verifiers: [${verifier('nodes', '[eu-west-1]')}, ${verifier('others', '[us-east-1]')}] }\n`;
    const { certificatePem } = await createDocumentSigner();
    const find = await server(text, async (folder) => {
      await mkdir(join(folder, 'aws'));
      await writeFile(join(folder, 'aws', 'eu-west-1.pem'), certificatePem);
    });
    expect(find.all('aws regions').map(({ status, message }) => `${status} ${message}`)).toEqual([
      'ok nodes: certificates cover eu-west-1',
      'fail others: no certificate for us-east-1, so no instance there can log in',
      'warn others: eu-west-1.pem is not used: the region is not let in',
    ]);
  });

  async function keyFile(folder: string): Promise<{ out: string }> {
    const { loadOrCreateSigningKeys } = await import('../../../src/proxy/token/index.ts');
    const { FileReference } = await import('../../../src/core/index.ts');
    const out = join(folder, 'data', 'signing-key.json');
    const reference = new FileReference(out, false);
    reference.resolve(out, undefined);
    await loadOrCreateSigningKeys(reference);
    return { out };
  }
});

describe('the command', () => {
  it('prints a line for each check and one at the end; in a pipe without colours', async () => {
    const fake = await registry(basic);
    const { file } = await write(`upstreams: { one: { url: "${fake.origin}", ${credentials()} } }\n`);
    const { out, error, exitCode } = await run(['doctor', '-c', file, '--upstream', 'one']);
    expect(out.split('\n')).toEqual([
      expect.stringMatching(/^ok {7}one {5}connection {7}http/),
      expect.stringMatching(/^ok +one +registry /),
      expect.stringMatching(/^ok +one +realm /),
      expect.stringMatching(/^ok +one +clock /),
      expect.stringMatching(/^ok +one +credential /),
      expect.stringMatching(/^ok +one +login +accepted$/),
      '6 ok, 0 to look at, 0 failed, 0 skipped',
    ]);
    expect([error, exitCode]).toEqual(['', 0]);
  });

  it('prints lines as they come where somebody looks', async () => {
    const { file } = await write('upstreams: { one: { url: "http://127.0.0.1:1" } }\n');
    const { out } = await runOn(['doctor', '-c', file, '--upstream', 'one'], {
      env: {},
      isInteractive: true,
    });
    expect(out).toContain('\u001b[31mfail   \u001b[0m');
    expect(out.split('\n').at(-1)).toBe('1 ok, 0 to look at, 1 failed, 6 skipped');
  });

  it('refuses an upstream that is none, and a configuration that is wrong', async () => {
    const { file } = await write('upstreams: { one: { url: "http://127.0.0.1:1" } }\n');
    expect(await run(['doctor', '-c', file, '--upstream', 'two'])).toMatchObject({
      error: expect.stringContaining('there is no upstream two'),
      exitCode: 2,
    });
    expect((await run(['doctor', '-c', 'none.yaml'])).exitCode).toBe(2);
  });
});
