import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { startDockerRegistry, startTokenRealm, type TokenRealm } from '../servers/index.ts';
import { type PushedImage, pushImage } from '../support/images.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { useResources } from '../support/resources.ts';
import { type Client, createSkopeo } from './clients.ts';
import { expectFailure, expectSuccess } from './expectations.ts';
import {
  ALICE,
  SITE_FILES,
  siteConfiguration,
  startPrivateRegistry,
  UPSTREAM_LOGIN,
  upstreamOptions,
} from './site.ts';

const CREDENTIALS = ['--creds', `${ALICE.username}:${ALICE.password}`];
const SOURCE_CREDENTIALS = ['--src-creds', `${ALICE.username}:${ALICE.password}`];

describe('skopeo', () => {
  const keep = useResources();
  let skopeo: Client;
  let proxy: RunningProxy;
  let realm: TokenRealm;
  let app: PushedImage;
  let index: PushedImage;
  let tokened: PushedImage;

  beforeAll(async () => {
    const registry = keep(await startPrivateRegistry());
    for (const tag of ['v1', 'v2', 'v3']) app = await pushImage(registry, 'acme/team/app', tag);
    index = await pushImage(registry, 'acme/team/index', 'v1', {
      platforms: ['linux/amd64', 'linux/arm64'],
    });
    realm = keep(await startTokenRealm(UPSTREAM_LOGIN));
    const tokenRegistry = keep(
      await startDockerRegistry({ authentication: { type: 'token', ...realm, realm: realm.url } }),
    );
    const authorization = `Bearer ${await realm.issue('repository:inner/app:pull,push')}`;
    tokened = await pushImage({ ...tokenRegistry, authorization }, 'inner/app', 'v1', { layers: 2 });

    const configuration = siteConfiguration(registry, {
      upstreams: { tokened: upstreamOptions(tokenRegistry.url, { realms: [realm.origin] }) },
      routes: [{ match: { path: 'tokened' }, upstream: 'tokened', repository: 'inner/{name}' }],
    });
    proxy = keep(await startProxy(configuration, { files: SITE_FILES }));
    skopeo = keep(await createSkopeo());
  });

  const image = (name: string) => `docker://${proxy.host}/${name}`;

  it('inspects by tag', async () => {
    const result = await skopeo.run('inspect', '--tls-verify=false', ...CREDENTIALS, image('team/app:v3'));
    expectSuccess(result);
    expect(JSON.parse(result.stdout)).toMatchObject({
      Name: `${proxy.host}/team/app`,
      Digest: app.digest,
      RepoTags: ['v1', 'v2', 'v3'],
    });
  });

  it('lists tags', async () => {
    const result = await skopeo.run('list-tags', '--tls-verify=false', ...CREDENTIALS, image('team/app'));
    expectSuccess(result);
    expect(JSON.parse(result.stdout)).toEqual({
      Repository: `${proxy.host}/team/app`,
      Tags: ['v1', 'v2', 'v3'],
    });
  });

  it('copies an index with all its platforms, byte for byte', async () => {
    const folder = join(skopeo.home, 'index');
    const options = ['--all', '--preserve-digests', '--src-tls-verify=false', ...SOURCE_CREDENTIALS];
    expectSuccess(await skopeo.run('copy', ...options, image('team/index:v1'), `dir:${folder}`));
    const manifest = await skopeo.run('manifest-digest', join(folder, 'manifest.json'));
    expect(manifest.stdout.trim()).toBe(index.digest);
  });

  it('copies by digest', async () => {
    const folder = join(skopeo.home, 'app');
    const options = ['--src-tls-verify=false', ...SOURCE_CREDENTIALS];
    expectSuccess(await skopeo.run('copy', ...options, image(`team/app@${app.digest}`), `dir:${folder}`));
    const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
    expect(manifest.layers[0].digest).toBe(app.manifests[0]?.layers[0]);
  });

  it('pulls from a registry behind a token service, by a route of a path', async () => {
    const folder = join(skopeo.home, 'tokened');
    const options = ['--src-tls-verify=false', ...SOURCE_CREDENTIALS];
    expectSuccess(await skopeo.run('copy', ...options, image('tokened/app:v1'), `dir:${folder}`));
    const manifest = await skopeo.run('manifest-digest', join(folder, 'manifest.json'));
    expect(manifest.stdout.trim()).toBe(tokened.digest);
  });

  it("the token service only saw the proxy's credential, asking to pull", () => {
    expect(realm.requests.length).toBeGreaterThan(0);
    for (const { username, granted, scopes } of realm.requests) {
      expect({ username, granted }).toEqual({ username: UPSTREAM_LOGIN.username, granted: true });
      expect(scopes).toEqual(['repository:inner/app:pull']);
    }
  });

  it('does not inspect with a wrong password', async () => {
    const creds = ['--creds', `${ALICE.username}:wrong`];
    expectFailure(
      await skopeo.run('inspect', '--tls-verify=false', ...creds, image('team/app:v1')),
      /invalid username\/password|unauthorized/i,
    );
  });

  it('does not push', async () => {
    const options = ['--src-tls-verify=false', '--dest-tls-verify=false', ...SOURCE_CREDENTIALS];
    const destination = ['--dest-creds', `${ALICE.username}:${ALICE.password}`, image('team/app:v9')];
    const result = await skopeo.run('copy', ...options, image('team/app:v1'), ...destination);
    expectFailure(result, /unsupported|denied|authoriz|405/i);
  });
});
