import { beforeAll, describe, expect, it } from 'vitest';
import { type Dockerd, startDockerd } from '../servers/index.ts';
import { type PushedImage, pushImage } from '../support/images.ts';
import { findFreePort } from '../support/ports.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { useResources } from '../support/resources.ts';
import { createTemporaryFolder } from '../support/temporary-folder.ts';
import { createDockerClient, type DockerClient } from './clients.ts';
import { expectFailure, expectSuccess } from './expectations.ts';
import { ALICE, BERTA, SITE_FILES, siteConfiguration, startPrivateRegistry } from './site.ts';

describe('docker', () => {
  const keep = useResources();
  const images: Record<'app' | 'index' | 'layers' | 'docker' | 'hosted' | 'public' | 'secret', PushedImage> =
    {} as never;
  let engine: Dockerd;
  let proxy: RunningProxy;
  let alice: DockerClient;
  let nobody: DockerClient;
  let restart: () => Promise<void>;

  beforeAll(async () => {
    const registry = keep(await startPrivateRegistry());
    images.app = await pushImage(registry, 'acme/team/app', 'v1', { layers: 3 });
    images.docker = await pushImage(registry, 'acme/team/app', 'docker', { mediaTypes: 'docker' });
    images.layers = await pushImage(registry, 'acme/team/layers', 'v1', { layers: 30, layerSizeBytes: 2048 });
    images.index = await pushImage(registry, 'acme/team/index', 'v1', {
      platforms: ['linux/amd64', 'linux/arm64', 'linux/arm/v7'],
    });
    images.hosted = await pushImage(registry, 'by-host/app', 'v1');
    images.public = await pushImage(registry, 'acme/public/app', 'v1');
    images.secret = await pushImage(registry, 'acme/secret/plans', 'v1');

    const folder = keep(await createTemporaryFolder('proxy'));
    const configuration = siteConfiguration(registry, {
      server: { address: `127.0.0.1:${await findFreePort()}` },
      routes: [{ match: { host: 'localhost' }, upstream: 'main', repository: 'by-host/{name}' }],
    });
    const start = () => startProxy(configuration, { folder: folder.path, files: SITE_FILES });
    proxy = await start();
    keep({ close: () => proxy.close(), logs: () => proxy.logs() });
    restart = async () => {
      await proxy.close();
      proxy = await start();
    };

    engine = keep(await startDockerd());
    alice = keep(await createDockerClient(engine));
    nobody = keep(await createDockerClient(engine));
    expectSuccess(await alice.login(proxy.host, ALICE));
  });

  async function expectPull(client: DockerClient, image: string, digest: string) {
    expectSuccess(await client.pull(image));
    expect(await client.digests(image)).toContain(digest);
  }

  it('login keeps a refresh token instead of the password', async () => {
    const stored = await alice.storedLogin(proxy.host);
    expect(stored?.identitytoken).toMatch(/.{20}/);
    const [, password] = Buffer.from(stored?.auth ?? '', 'base64')
      .toString()
      .split(':');
    expect(password ?? '').toBe('');
  });

  it('login with a wrong password is refused, and nothing is kept', async () => {
    const client = keep(await createDockerClient(engine));
    expectFailure(await client.login(proxy.host, { ...ALICE, password: 'wrong' }), /unauthorized|401/i);
    await expect(client.storedLogin(proxy.host)).rejects.toThrow(/ENOENT/);
  });

  it('pulls by tag', () => expectPull(alice, `${proxy.host}/team/app:v1`, images.app.digest));

  it('pulls by digest', () =>
    expectPull(alice, `${proxy.host}/team/app@${images.app.digest}`, images.app.digest));

  it("pulls an image in Docker's own media types", () =>
    expectPull(alice, `${proxy.host}/team/app:docker`, images.docker.digest));

  it('pulls its platform of an index by tag', () =>
    expectPull(alice, `${proxy.host}/team/index:v1`, images.index.digest));

  it('pulls its platform of an index by digest', () =>
    expectPull(alice, `${proxy.host}/team/index@${images.index.digest}`, images.index.digest));

  it('pulls an image of 30 layers', async () => {
    await expectPull(alice, `${proxy.host}/team/layers:v1`, images.layers.digest);
  });

  it('pulls by a route of another host', async () => {
    const { port } = new URL(proxy.url);
    expectSuccess(await alice.login(`localhost:${port}`, ALICE));
    await expectPull(alice, `localhost:${port}/app:v1`, images.hosted.digest);
  });

  it('pulls what everybody may pull without a login', () =>
    expectPull(nobody, `${proxy.host}/public/app:v1`, images.public.digest));

  it('does not pull without a login what a rule wants one for', async () => {
    expectFailure(await nobody.pull(`${proxy.host}/team/app:v1`), /unauthorized|denied|not found/i);
  });

  it('a repository that is denied looks like one that does not exist', async () => {
    const denied = await alice.pull(`${proxy.host}/secret/plans:v1`);
    const missing = await alice.pull(`${proxy.host}/secret/nothing:v1`);
    expectFailure(denied, /denied|unauthorized|not found/i);
    expect(denied.stderr.replaceAll('plans', 'X')).toBe(missing.stderr.replaceAll('nothing', 'X'));
  });

  it('somebody whom no rule speaks of logs in, and pulls nothing private', async () => {
    const berta = keep(await createDockerClient(engine));
    expectSuccess(await berta.login(proxy.host, BERTA));
    expectFailure(await berta.pull(`${proxy.host}/team/app:v1`), /denied|unauthorized|not found/i);
    await expectPull(berta, `${proxy.host}/public/app:v1`, images.public.digest);
  });

  it('a tag that does not exist is said to be missing', async () => {
    expectFailure(await alice.pull(`${proxy.host}/team/app:v9`), /not found|manifest unknown/i);
  });

  it('pulls with the kept refresh token after the proxy has been restarted', async () => {
    const before = await alice.storedLogin(proxy.host);
    await restart();
    await expectPull(alice, `${proxy.host}/team/app:v1`, images.app.digest);
    expect((await alice.storedLogin(proxy.host))?.identitytoken).toBe(before?.identitytoken);
  });

  it('pulls nothing private any more after logout', async () => {
    const client = keep(await createDockerClient(engine));
    expectSuccess(await client.login(proxy.host, ALICE));
    await expectPull(client, `${proxy.host}/team/app:v1`, images.app.digest);
    expectSuccess(await client.run('logout', proxy.host));
    expectFailure(await client.pull(`${proxy.host}/team/app:v1`), /denied|unauthorized|not found/i);
  });
});
