import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  type DockerRegistry,
  startContainerd,
  startDockerd,
  startDockerRegistry,
  startNginx,
} from '../servers/index.ts';
import { HOST_PLATFORM, pushImage } from '../support/images.ts';
import { useResources } from '../support/resources.ts';
import { createCtr, createDockerClient, createPodman, createSkopeo } from './clients.ts';
import { expectSuccess } from './expectations.ts';

// Without the proxy: when one of these fails, so do the others, and not because of the proxy.
describe('the servers and clients of the other tests', () => {
  const keep = useResources();
  let registry: DockerRegistry;
  let image: string;
  let digest: string;

  beforeAll(async () => {
    registry = keep(await startDockerRegistry());
    ({ digest } = await pushImage(registry, 'team/app', 'v1', { layers: 2 }));
    image = `${new URL(registry.url).host}/team/app:v1`;
  });

  it('dockerd pulls', async () => {
    const engine = await startDockerd();
    onTestFinished(engine.close);
    const docker = await createDockerClient(engine);
    onTestFinished(docker.close);
    expectSuccess(await docker.pull(image));
    expect(await docker.digests(image)).toEqual([digest]);
  });

  it('containerd pulls', async () => {
    const containerd = await startContainerd();
    onTestFinished(containerd.close);
    const ctr = await createCtr(containerd);
    onTestFinished(ctr.close);
    expectSuccess(await ctr.run('images', 'pull', '--plain-http', '--snapshotter', 'native', image));
    expect((await ctr.run('images', 'list')).stdout).toContain(digest);
  });

  it('podman and skopeo pull', async () => {
    const podman = await createPodman();
    onTestFinished(podman.close);
    expectSuccess(await podman.run('pull', '--tls-verify=false', image));
    const skopeo = await createSkopeo();
    onTestFinished(skopeo.close);
    const inspected = await skopeo.run('inspect', '--tls-verify=false', `docker://${image}`);
    expectSuccess(inspected);
    expect(JSON.parse(inspected.stdout)).toMatchObject({
      Digest: digest,
      Architecture: HOST_PLATFORM.split('/')[1],
    });
  });

  it('nginx passes requests on', async () => {
    const nginx = await startNginx({
      http: ([port]) => `server { listen 127.0.0.1:${port}; location / { proxy_pass ${registry.url}; } }`,
    });
    onTestFinished(nginx.close);
    const response = await fetch(`http://127.0.0.1:${nginx.ports[0]}/v2/team/app/manifests/v1`, {
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    expect(response.headers.get('docker-content-digest')).toBe(digest);
  });
});
