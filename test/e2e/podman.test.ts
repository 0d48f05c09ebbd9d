import { beforeAll, describe, expect, it } from 'vitest';
import { type PushedImage, pushImage } from '../support/images.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { useResources } from '../support/resources.ts';
import { type Client, createPodman } from './clients.ts';
import { expectFailure, expectSuccess } from './expectations.ts';
import { ALICE, SITE_FILES, siteConfiguration, startPrivateRegistry } from './site.ts';

describe('podman', () => {
  const keep = useResources();
  let proxy: RunningProxy;
  let alice: Client;
  let nobody: Client;
  let app: PushedImage;
  let index: PushedImage;
  let open: PushedImage;

  beforeAll(async () => {
    const registry = keep(await startPrivateRegistry());
    app = await pushImage(registry, 'acme/team/app', 'v1', { layers: 3 });
    index = await pushImage(registry, 'acme/team/index', 'v1', {
      platforms: ['linux/amd64', 'linux/arm64'],
      mediaTypes: 'docker',
    });
    open = await pushImage(registry, 'acme/public/app', 'v1');
    proxy = keep(await startProxy(siteConfiguration(registry), { files: SITE_FILES }));
    alice = keep(await createPodman());
    nobody = keep(await createPodman());
    expectSuccess(await login(alice, ALICE.password));
  });

  function login(podman: Client, password: string) {
    const options = ['--username', ALICE.username, '--password', password, '--tls-verify=false'];
    return podman.run('login', ...options, proxy.host);
  }

  async function expectPull(podman: Client, image: string, digest: string) {
    expectSuccess(await podman.run('pull', '--tls-verify=false', image));
    const { stdout } = await podman.run('image', 'inspect', '--format', '{{json .RepoDigests}}', image);
    expect(stdout).toContain(digest);
  }

  it('pulls by tag', () => expectPull(alice, `${proxy.host}/team/app:v1`, app.digest));

  it('pulls by digest', () => expectPull(alice, `${proxy.host}/team/app@${app.digest}`, app.digest));

  it('pulls its platform of an index', () => expectPull(alice, `${proxy.host}/team/index:v1`, index.digest));

  it('pulls what everybody may pull without a login', () =>
    expectPull(nobody, `${proxy.host}/public/app:v1`, open.digest));

  it('does not pull without a login what a rule wants one for', async () => {
    const result = await nobody.run('pull', '--tls-verify=false', `${proxy.host}/team/app:v1`);
    expectFailure(result, /unauthorized|denied|authentication required|unknown/i);
  });

  it('login with a wrong password is refused', async () => {
    expectFailure(await login(nobody, 'wrong'), /invalid username\/password|unauthorized/i);
  });

  it('pulls nothing private any more after logout', async () => {
    const podman = keep(await createPodman());
    expectSuccess(await login(podman, ALICE.password));
    await expectPull(podman, `${proxy.host}/team/app:v1`, app.digest);
    expectSuccess(await podman.run('logout', proxy.host));
    const result = await podman.run('pull', '--tls-verify=false', `${proxy.host}/team/app:v1`);
    expectFailure(result, /unauthorized|denied|authentication required|unknown/i);
  });
});
