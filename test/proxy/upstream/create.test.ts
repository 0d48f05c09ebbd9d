import { expect, it } from 'vitest';
import { systemClock } from '../../../src/core/index.ts';
import { mediaTypes, parseReference } from '../../../src/oci/index.ts';
import { createUpstream, upstreamOptions } from '../../../src/proxy/upstream/index.ts';
import { createLogger, createMetrics } from '../../../src/telemetry/index.ts';
import { REPOSITORY, signal } from './support/connect.ts';
import { SAMPLE_MANIFEST, sha256, startFakeRegistry } from './support/fake-registry.ts';

const dependencies = {
  clock: systemClock,
  random: () => 0,
  log: createLogger('silent'),
  metrics: createMetrics(),
};

it('makes a registry with its credentials', async () => {
  const registry = await startFakeRegistry();
  registry.addManifest(SAMPLE_MANIFEST, mediaTypes.OCI_MANIFEST, 'latest');
  registry.login = { type: 'basic', username: 'acme', password: 'secret' };
  const options = upstreamOptions.parse({
    url: registry.origin,
    credentials: { type: 'static', username: 'acme', password: 'secret' },
  });
  const upstream = createUpstream('hub', options, dependencies);
  const reference = parseReference('latest');
  if (!reference) throw new Error('no reference');
  const manifest = await upstream.manifest(REPOSITORY, reference, { accept: [], signal: signal() });
  expect(manifest.digest).toBe(sha256(SAMPLE_MANIFEST));
  await upstream.close();
  await registry.allClosed();
});

it('makes an image layout', async () => {
  const upstream = createUpstream('airgap', upstreamOptions.parse({ layout: '/nowhere' }), dependencies);
  expect(upstream.name).toBe('airgap');
  const page = { query: new URLSearchParams(), signal: signal() };
  await expect(upstream.tags(REPOSITORY, page)).rejects.toThrow();
  await upstream.close();
});
