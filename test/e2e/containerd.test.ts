import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { startContainerd } from '../servers/index.ts';
import { type PushedImage, pushImage } from '../support/images.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { useResources } from '../support/resources.ts';
import { type Client, createCtr } from './clients.ts';
import { expectFailure, expectSuccess } from './expectations.ts';
import { ALICE, SITE_FILES, siteConfiguration, startPrivateRegistry } from './site.ts';

// Nothing listens there: a pull that does not go by way of the mirror fails.
const NOWHERE = 'http://127.0.0.1:1';

describe('containerd', () => {
  const keep = useResources();
  let ctr: Client;
  let proxy: RunningProxy;
  let app: PushedImage;
  let index: PushedImage;
  let mirrored: PushedImage;
  let official: PushedImage;

  beforeAll(async () => {
    const registry = keep(await startPrivateRegistry());
    app = await pushImage(registry, 'acme/team/app', 'v1', { layers: 3 });
    index = await pushImage(registry, 'acme/team/index', 'v1', { platforms: ['linux/amd64', 'linux/arm64'] });
    mirrored = await pushImage(registry, 'hub/team/mirrored', 'v1');
    official = await pushImage(registry, 'hub/library/alpine', 'v1', { mediaTypes: 'docker' });
    await pushImage(registry, 'acme/secret/plans', 'v1');
    const configuration = siteConfiguration(registry, {
      routes: [{ match: { namespace: 'docker.io' }, upstream: 'main', repository: 'hub/{name}' }],
    });
    proxy = keep(await startProxy(configuration, { files: SITE_FILES }));
    ctr = keep(await createCtr(keep(await startContainerd())));
  });

  function pull(image: string, ...options: string[]) {
    return ctr.run('images', 'pull', '--snapshotter', 'native', ...options, image);
  }

  async function expectPulled(image: string, digest: string) {
    const { stdout } = await ctr.run('images', 'list', `name==${image}`);
    expect(stdout).toContain(digest);
  }

  const user = (password = ALICE.password) => ['--plain-http', '--user', `${ALICE.username}:${password}`];

  it('pulls by tag with a user name and password', async () => {
    const image = `${proxy.host}/team/app:v1`;
    expectSuccess(await pull(image, ...user()));
    await expectPulled(image, app.digest);
  });

  it('pulls by digest', async () => {
    const image = `${proxy.host}/team/app@${app.digest}`;
    expectSuccess(await pull(image, ...user()));
    await expectPulled(image, app.digest);
  });

  it('pulls all platforms of an index', async () => {
    const image = `${proxy.host}/team/index:v1`;
    expectSuccess(await pull(image, '--all-platforms', ...user()));
    await expectPulled(image, index.digest);
    const { stdout } = await ctr.run('content', 'list', '--quiet');
    for (const { digest } of index.manifests) expect(stdout).toContain(digest);
  });

  it.each([
    ['a wrong password', 'team/app:v1', 'wrong', /401|unauthorized|authorization failed/i],
    ['a repository that is denied', 'secret/plans:v1', undefined, /denied|authoriz|forbidden|not found/i],
  ])('does not pull with %s', async (_case, name, password, words) => {
    expectFailure(await pull(`${proxy.host}/${name}`, ...user(password)), words);
  });

  it('does not pull without a credential', async () => {
    expectFailure(
      await pull(`${proxy.host}/team/app:v1`, '--plain-http'),
      /401|403|unauthorized|authorization failed|denied|not found/i,
    );
  });

  describe('with the proxy as a mirror in hosts.toml', () => {
    let hostsFolder: string;

    beforeAll(async () => {
      hostsFolder = join(ctr.home, 'hosts');
      await writeMirror('docker.io');
      await writeMirror('unknown.example.com');
    });

    async function writeMirror(namespace: string) {
      await mkdir(join(hostsFolder, namespace), { recursive: true });
      await writeFile(
        join(hostsFolder, namespace, 'hosts.toml'),
        `server = "${NOWHERE}"\n[host."${proxy.url}"]\n  capabilities = ["pull", "resolve"]\n`,
      );
    }

    function pullFromMirror(image: string) {
      const login = `${ALICE.username}:${ALICE.password}`;
      return pull(image, '--hosts-dir', hostsFolder, '--user', login);
    }

    it.each([
      ['a name', 'docker.io/team/mirrored:v1', () => mirrored],
      ['an official image', 'docker.io/library/alpine:v1', () => official],
    ])('pulls %s of Docker Hub by the namespace route', async (_case, image, pushed) => {
      expectSuccess(await pullFromMirror(image));
      await expectPulled(image, pushed().digest);
    });

    it('pulls by digest', async () => {
      const image = `docker.io/team/mirrored@${mirrored.digest}`;
      expectSuccess(await pullFromMirror(image));
      await expectPulled(image, mirrored.digest);
    });

    it('does not pull from a namespace that no route names', async () => {
      expectFailure(await pullFromMirror('unknown.example.com/team/app:v1'), /./);
      const asked = proxy.logLines().filter((line) => line.namespace === 'unknown.example.com');
      expect(asked.length).toBeGreaterThan(0);
      for (const line of asked) expect(line).toMatchObject({ status: 404, bytes: 0 });
      expect(JSON.stringify(asked)).not.toContain('"upstream"');
    });
  });
});
