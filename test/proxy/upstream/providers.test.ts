import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/core/index.ts';
import {
  type CredentialProvider,
  createCredentialProvider,
  credentialOptions,
} from '../../../src/credentials/index.ts';
import { mediaTypes, parseReference } from '../../../src/oci/index.ts';
import { createLogger } from '../../../src/telemetry/index.ts';
import { during, surroundings } from '../../credentials/aws/support.ts';
import { createAzureWorld } from '../../credentials/azure/support.ts';
import { createGoogleWorld } from '../../credentials/gcp/support.ts';
import { APP_ID, INSTALLATION, startGitHubApi } from '../../credentials/ghcr/github-api.ts';
import { loadedFile } from '../../credentials/loaded-file.ts';
import { createAccounts, startEcrApi } from '../../servers/aws/index.ts';
import { connect, REPOSITORY, readAll, signal } from './support/connect.ts';
import { type FakeRegistry, SAMPLE_MANIFEST, sha256, startFakeRegistry } from './support/fake-registry.ts';
import { startServer } from './support/server.ts';

const LATEST = parseReference('latest');
const CANARY = 'canary-of-a-provider';
const REGISTRY_HOST = 'registry.example.com';

const create = (options: unknown): CredentialProvider =>
  createCredentialProvider(credentialOptions.parse(options), {
    clock: systemClock,
    log: createLogger('silent'),
  });

/**
 * Every kind of credential, each made as the configuration makes it. What an upstream may lead the proxy to has nothing to
 * do with where the credential came from; a new kind is one more line here.
 */
const PROVIDERS: Readonly<Record<string, () => Promise<CredentialProvider> | CredentialProvider>> = {
  static: () => create({ type: 'static', username: 'acme', password: CANARY }),
  dockerhub: () => create({ type: 'dockerhub', username: 'acme', password: CANARY }),
  quay: () => create({ type: 'quay', username: 'acme+puller', password: CANARY }),
  gitlab: () => create({ type: 'gitlab', password: CANARY }),
  harbor: () => create({ type: 'harbor', username: 'robot$puller', password: CANARY }),
  ghcr: () => create({ type: 'ghcr', password: CANARY }),
  'ghcr app': gitHubApp,
  'docker-config': () => dockerConfig({ auths: { [REGISTRY_HOST]: { username: 'acme', password: CANARY } } }),
  'docker-config with a helper': () => dockerConfig({ credHelpers: { [REGISTRY_HOST]: 'suite' } }),
  'docker-config with an identity token': () =>
    dockerConfig({ auths: { [REGISTRY_HOST]: { identitytoken: CANARY } } }),
  pool: () =>
    create({
      type: 'pool',
      members: [
        { type: 'static', username: 'one', password: CANARY },
        { type: 'dockerhub', username: 'two', password: CANARY },
      ],
    }),
  ecr,
  gcp,
  acr,
  exec: () =>
    create({
      type: 'exec',
      command: [
        '/bin/sh',
        '-c',
        `cat >/dev/null; echo '{"credential":{"username":"acme","password":"${CANARY}"}}'`,
      ],
    }),
};

async function ecr(): Promise<CredentialProvider> {
  const accounts = createAccounts();
  const api = await during(startEcrApi(accounts, { newPassword: () => CANARY }));
  await surroundings({ keys: accounts.createUser('111122223333', 'puller', ['ecr:GetAuthorizationToken']) });
  return create({ type: 'ecr', region: 'eu-west-1', endpoint: api.url });
}

async function gcp(): Promise<CredentialProvider> {
  return (await createGoogleWorld()).provider({ registries: [REGISTRY_HOST] });
}

/** Its exchange is a question to the registry itself, so it has one. */
async function acr(): Promise<CredentialProvider> {
  const world = await createAzureWorld();
  const { host } = (await world.registry()).service;
  const provider = world.provider({ type: 'acr', registries: [host] });
  return { ...provider, credential: (request) => provider.credential({ ...request, registry: host }) };
}

async function gitHubApp(): Promise<CredentialProvider> {
  const api = await startGitHubApi(() => Date.now());
  const options = credentialOptions.parse({
    type: 'ghcr',
    app: { id: APP_ID, installation: INSTALLATION, privateKeyFile: 'app.pem', apiUrl: api.url },
  });
  if (options.type === 'ghcr')
    options.app?.privateKeyFile.resolve('/app.pem', Buffer.from(api.privateKeyPem));
  return createCredentialProvider(options, { clock: systemClock, log: createLogger('silent') });
}

function dockerConfig(content: unknown): CredentialProvider {
  return createCredentialProvider(
    {
      type: 'docker-config',
      file: loadedFile(JSON.stringify(content)),
      helperDirectories: [join(import.meta.dirname, '../../credentials/helpers')],
      helperEnvironment: [],
    },
    { clock: systemClock, log: createLogger('silent') },
  );
}

/** The registry under its name, so that providers that look at it find their credential; on a port of its own. */
async function site(provider: CredentialProvider, realms: string[] = []) {
  const registry = await startFakeRegistry();
  registry.addManifest(SAMPLE_MANIFEST, mediaTypes.OCI_MANIFEST, 'latest');
  const named: CredentialProvider = {
    ...provider,
    credential: (request) => provider.credential({ ...request, registry: REGISTRY_HOST }),
  };
  const connected = connect(`http://${REGISTRY_HOST}:${registry.port}`, {
    provider: named,
    realms,
    // Every name leads here, so whatever were sent anywhere would arrive.
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
  });
  onTestFinished(() => expect(connected.logText()).not.toMatch(/canary|ya29\.|eyJ/));
  const pull = () => {
    if (!LATEST) throw new Error('no reference');
    return connected.upstream.manifest(REPOSITORY, LATEST, { accept: [], signal: signal() });
  };
  return { registry, pull, ...connected };
}

function shownTo(registry: FakeRegistry): (string | undefined)[] {
  return registry.requests.map(({ headers }) => headers.authorization);
}

describe.each(Object.keys(PROVIDERS))('an upstream with credentials of type %s', (name) => {
  const provider = async (): Promise<CredentialProvider> => {
    const made = await PROVIDERS[name]?.();
    if (!made) throw new Error(`there is no ${name}`);
    return made;
  };

  it('shows them to the token server that is allowed', async () => {
    const tokens = await startServer((_request, response) => void response.end('{"token":"t"}'));
    const { registry, pull } = await site(await provider(), [tokens.origin]);
    registry.login = { type: 'bearer', realm: `${tokens.origin}/token`, accepts: (token) => token === 't' };
    await pull();
    expect(tokens.requests).toHaveLength(1);
    const [question] = tokens.requests;
    expect(question?.method === 'POST' || question?.headers.authorization?.startsWith('Basic ')).toBe(true);
  });

  it.each([
    ['on another port', (port: number) => `http://${REGISTRY_HOST}:${port}/token`],
    ['on a look-alike', (port: number) => `http://${REGISTRY_HOST}.attacker.net:${port}/token`],
    ['on this machine', (port: number) => `http://127.0.0.1:${port}/token`],
    ['of the metadata service', () => 'http://169.254.169.254/latest/meta-data/'],
    // The same registrable domain, so by its name allowed; by its address it is not.
    ['that only looks public', () => 'https://auth.example.com/token'],
  ])('sends nothing to a realm %s', async (_where, realmAt) => {
    const stranger = await startServer((_request, response) => void response.end('{"token":"t"}'));
    const { registry, pull } = await site(await provider());
    registry.login = { type: 'bearer', realm: realmAt(stranger.port), accepts: () => true };
    await expect(pull()).rejects.toMatchObject({ kind: 'unsafe' });
    expect(stranger.connectionCount).toBe(0);
    expect(shownTo(registry)).toEqual([undefined]);
  });

  it('does not carry them along a redirect', async () => {
    const storage = await startServer((_request, response) => void response.end('layer'));
    const { registry, upstream } = await site(await provider());
    const redirects = connectWithRedirects(registry, await provider(), storage.origin);
    registry.script((request, response) => {
      if (!request.url?.includes('/blobs/')) return false;
      response.writeHead(307, { location: `${storage.origin}/layer?X-Amz-Signature=s` }).end();
      return true;
    });
    const blob = await redirects.blob(REPOSITORY, sha256('layer'), { delivery: 'stream', signal: signal() });
    if (blob.type === 'content') expect((await readAll(blob.body)).toString()).toBe('layer');
    expect(storage.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    await upstream.close();
  });

  it('does not follow a redirect into this network', async () => {
    const inside = await startServer((_request, response) => void response.end('secret'));
    const { registry, upstream } = await site(await provider());
    for (const location of [`${inside.origin}/`, 'http://169.254.169.254/', 'https://rebound.example.net/']) {
      registry.next(1, '/blobs/', (_request, response) => response.writeHead(307, { location }).end());
      const asked = upstream.blob(REPOSITORY, sha256('layer'), { delivery: 'stream', signal: signal() });
      await expect(asked, location).rejects.toMatchObject({ kind: 'unsafe' });
    }
    expect(inside.connectionCount).toBe(0);
  });
});

function connectWithRedirects(registry: FakeRegistry, provider: CredentialProvider, origin: string) {
  return connect(registry.origin, { provider, redirects: [origin] }).upstream;
}
