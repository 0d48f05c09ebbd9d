import { describe, expect, it, onTestFinished } from 'vitest';
import type { CredentialProvider } from '../../../../src/credentials/index.ts';
import { mediaTypes, parseReference } from '../../../../src/oci/index.ts';
import { upstreamOptions } from '../../../../src/proxy/upstream/index.ts';
import { createRegistryUpstream } from '../../../../src/proxy/upstream/remote/index.ts';
import { createLogger, createMetrics } from '../../../../src/telemetry/index.ts';
import { createAzureWorld } from '../../../credentials/azure/support.ts';
import { createGoogleWorld } from '../../../credentials/gcp/support.ts';
import { REPOSITORY, readAll, signal } from '../support/connect.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { type FakeRegistry, SAMPLE_MANIFEST, sha256, startFakeRegistry } from '../support/fake-registry.ts';
import { startServer } from '../support/server.ts';

type Kind = 'gcp' | 'acr';

async function registry(): Promise<FakeRegistry> {
  const fake = await startFakeRegistry();
  fake.addManifest(SAMPLE_MANIFEST, mediaTypes.OCI_MANIFEST, 'latest');
  return fake;
}

/** A provider for a registry whose exchange, for acr, is a registry of Azure's elsewhere. */
async function providerOf(
  kind: Kind,
  host: string,
): Promise<{ provider: CredentialProvider; asked: () => number }> {
  if (kind === 'gcp') {
    const world = await createGoogleWorld();
    return { provider: world.provider({ registries: [host] }), asked: () => world.metadata.received.length };
  }
  const world = await createAzureWorld();
  const { service } = await world.registry();
  const acr = world.provider({ type: 'acr', registries: [service.host] });
  const there = {
    ...acr,
    credential: (request: Parameters<CredentialProvider['credential']>[0]) =>
      acr.credential({ ...request, registry: service.host }),
  };
  return { provider: there, asked: () => world.metadata.received.length };
}

async function connectWith(kind: Kind, fake: FakeRegistry, redirects: string[] = []) {
  const { provider, asked } = await providerOf(kind, new URL(fake.origin).host);
  const lines: string[] = [];
  const upstream = createRegistryUpstream(
    'test',
    { ...upstreamOptions.parse({ url: fake.origin, redirects }), url: fake.origin },
    {
      credentials: provider,
      clock: createFakeClock(),
      random: () => 0.5,
      log: createLogger('debug', { write: (line: string) => void lines.push(line) }),
      metrics: createMetrics(),
    },
  );
  onTestFinished(() => upstream.close());
  onTestFinished(() => expect(lines.join('')).not.toMatch(/ya29|eyJ/));
  const latest = parseReference('latest');
  return {
    asked,
    blob: () => upstream.blob(REPOSITORY, sha256('layer'), { delivery: 'stream', signal: signal() }),
    pull: async () => {
      if (!latest) throw new Error('no reference');
      return upstream.manifest(REPOSITORY, latest, { accept: [], signal: signal() });
    },
  };
}

describe.each(['gcp', 'acr'] as const)('with %s, a registry that', (kind) => {
  it.each([
    ['names a realm on another port', 'http://127.0.0.1:PORT/token'],
    ['names a realm in the clear elsewhere', 'http://auth.example.net/token'],
    ['names the metadata service as its realm', 'http://169.254.169.254/token'],
    ['names a realm with a user name', 'https://user@auth.example.net/token'],
    ['names a realm of somebody else', 'https://gcr.io.evil.example/token'],
  ])('%s is sent nothing', async (_, realm) => {
    const stranger = await startServer((_request, response) => response.end('{}'));
    const fake = await registry();
    const port = new URL(stranger.origin).port;
    fake.login = { type: 'bearer', realm: realm.replace('PORT', port), accepts: () => false };
    const { pull, asked } = await connectWith(kind, fake);
    await expect(pull()).rejects.toMatchObject({ kind: 'unsafe' });
    expect(stranger.requests).toHaveLength(0);
    expect(fake.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    // Not even asked for: there is nobody to show it to.
    expect(asked()).toBe(0);
  });

  /** Asks for a password, and leads whoever shows one to this place. */
  function leadTo(fake: FakeRegistry, location: string): void {
    fake.script(({ headers: { authorization } }, response) => {
      if (authorization === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="registry"' }).end();
      } else response.writeHead(307, { location }).end();
      return true;
    });
  }

  it('redirects to its storage has no credential go along', async () => {
    const storage = await startServer((_request, response) => void response.end('layer'));
    const fake = await registry();
    leadTo(fake, `${storage.origin}/layer`);
    const { blob } = await connectWith(kind, fake, [storage.origin]);
    const answer = await blob();
    if (answer.type === 'content') expect((await readAll(answer.body)).toString()).toBe('layer');
    expect(fake.requests.at(-1)?.headers.authorization).toMatch(/^Basic /);
    expect(storage.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it.each(['http://127.0.0.1:PORT/', 'http://[::1]:PORT/', 'http://169.254.169.254/latest/meta-data/'])(
    'redirects to %s is not followed',
    async (location) => {
      const inside = await startServer((_request, response) => void response.end('secret'));
      const fake = await registry();
      leadTo(fake, location.replace('PORT', String(inside.port)));
      const { blob } = await connectWith(kind, fake);
      await expect(blob()).rejects.toMatchObject({ kind: 'unsafe' });
      expect(inside.connectionCount).toBe(0);
    },
  );
});
