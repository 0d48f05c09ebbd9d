import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret, systemClock } from '../../src/core/index.ts';
import { createCredentialProvider, credentialOptions } from '../../src/credentials/index.ts';
import { createLogger } from '../../src/telemetry/index.ts';
import { MACHINE as AZURE_MACHINE } from '../credentials/azure/support.ts';
import { INSTANCE, MACHINE_ACCOUNT } from '../credentials/gcp/support.ts';
import { createIssuerKey } from '../proxy/identity/support/issuer.ts';
import {
  createAttestation,
  startAzureInstanceMetadata,
  startContainerRegistry,
  startEntra,
} from '../servers/azure/index.ts';
import {
  createGoogleIdentity,
  startArtifactRegistry,
  startGoogleMetadataServer,
} from '../servers/google/index.ts';
import { type Containerd, type Dockerd, startContainerd, startDockerd } from '../servers/index.ts';
import { type PushedImage, pushImage } from '../support/images.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { type Client, createCtr, createDockerClient, type DockerClient } from './clients.ts';

const AUDIENCE = 'docker.example.com';
const SUBSCRIPTION = 'cccccccc-0000-4000-8000-000000000001';
const VIRTUAL_MACHINE = '02aab8a4-74ef-476e-8182-f6d2ba4166a6';
const CLUSTER = 'https://kubernetes.default.svc.cluster.local';

interface Login {
  readonly username: string;
  readonly password: string;
}

let folder: string;
let env: Record<string, string>;
let proxy: RunningProxy;
let docker: DockerClient;
let ctr: Client;
let podToken: string;
let google: PushedImage;
let azure: PushedImage;
const closing: { close(): Promise<unknown> }[] = [];

function closeLater<T extends { close(): Promise<unknown> }>(started: T): T {
  closing.unshift(started);
  return started;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clouds-'));
  const identity = await createGoogleIdentity();
  const metadata = closeLater(
    await startGoogleMetadataServer(identity, { account: MACHINE_ACCOUNT, instance: INSTANCE }),
  );
  const artifacts = closeLater(await startArtifactRegistry(identity, [MACHINE_ACCOUNT.email]));
  const entra = closeLater(
    await startEntra({ resources: ['https://containerregistry.azure.net', `api://${AUDIENCE}`] }),
  );
  const attestation = await createAttestation();
  const imds = closeLater(
    await startAzureInstanceMetadata({
      entra,
      identities: [AZURE_MACHINE],
      attest: (nonce) =>
        attestation.sign({
          nonce,
          subscriptionId: SUBSCRIPTION,
          vmId: VIRTUAL_MACHINE,
          createdAt: Date.now(),
        }),
    }),
  );
  const acr = closeLater(await startContainerRegistry({ entra, readers: [AZURE_MACHINE.principalId] }));
  google = await pushImage(
    { url: artifacts.url, authorization: `Bearer ${await artifacts.issue('repository:acme/app:pull,push')}` },
    'acme/app',
    'latest',
  );
  azure = await pushImage(
    { url: acr.url, authorization: `Bearer ${await acr.issue('repository:acme/app:pull,push')}` },
    'acme/app',
    'latest',
  );
  const cluster = await createIssuerKey('RS256', 'cluster');
  podToken = await new SignJWT({
    'kubernetes.io': { namespace: 'ci', serviceaccount: { name: 'builder', uid: 'u' } },
  })
    .setProtectedHeader({ alg: 'RS256', kid: 'cluster' })
    .setIssuer(CLUSTER)
    .setSubject('system:serviceaccount:ci:builder')
    .setAudience(AUDIENCE)
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(cluster.privateKey);
  env = { GCE_METADATA_HOST: metadata.host, AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.origin };
  proxy = closeLater(
    await startProxy(
      {
        upstreams: {
          google: { url: artifacts.url, credentials: { type: 'gcp', registries: [artifacts.service.host] } },
          azure: { url: acr.url, credentials: { type: 'acr', registries: [acr.service.host] } },
        },
        routes: [
          { match: { path: 'google' }, upstream: 'google', repository: 'acme/{name}' },
          { match: { path: 'azure' }, upstream: 'azure', repository: 'acme/{name}' },
        ],
        state: { type: 'embedded', directory: 'state' },
        authentication: {
          verifiers: [
            {
              name: 'gcp',
              type: 'gcp',
              audience: AUDIENCE,
              projects: [INSTANCE.project_id],
              jwksFile: 'google.json',
            },
            {
              name: 'azure',
              type: 'azure',
              audience: `api://${AUDIENCE}`,
              tenants: [entra.tenantId],
              subscriptions: [SUBSCRIPTION],
              authority: entra.origin,
            },
            {
              name: 'vms',
              type: 'azure-attested',
              audience: AUDIENCE,
              subscriptions: [SUBSCRIPTION],
              rootsFile: 'roots.pem',
              intermediatesFile: 'intermediates.pem',
            },
            {
              name: 'pods',
              type: 'kubernetes',
              username: '_kubernetes',
              issuer: CLUSTER,
              audience: AUDIENCE,
              namespaces: ['ci'],
              offline: { jwksFile: 'cluster.json' },
            },
          ],
        },
        authorization: {
          rules: [
            {
              name: 'machines pull from one source',
              when: 'identity.claims.projectId == "acme-images" || identity.verifier in ["azure", "vms", "pods"]',
              repositories: ['google/**', 'azure/**'],
              actions: ['pull'],
            },
          ],
        },
      },
      {
        environment: env,
        files: {
          'google.json': identity.keySet,
          'cluster.json': JSON.stringify({ keys: [cluster.jwk] }),
          'roots.pem': attestation.root.toString(),
          'intermediates.pem': attestation.intermediate.toString(),
        },
      },
    ),
  );
  const engine: Dockerd = closeLater(await startDockerd());
  const containerd: Containerd = closeLater(await startContainerd());
  docker = closeLater(await createDockerClient(engine));
  ctr = closeLater(await createCtr(containerd));
});

afterAll(async () => {
  for (const started of closing) await started.close();
  await rm(folder, { recursive: true, force: true });
});

/** What a provider on a machine gives for the proxy. */
async function loginOf(input: Readonly<Record<string, unknown>>): Promise<Login> {
  const nonceFile = input.type === 'azure-attested' && { nonceFile: join(folder, 'nonce') };
  const options = credentialOptions.parse({ ...input, ...nonceFile });
  const provider = createCredentialProvider(options, {
    clock: systemClock,
    log: createLogger('silent'),
    env,
  });
  try {
    const credential = await provider.credential({
      registry: proxy.host,
      signal: AbortSignal.timeout(20_000),
      ...(input.type === 'kubernetes' && { serviceAccountToken: new Secret(podToken) }),
    });
    return { username: credential?.username ?? '', password: credential?.password.reveal() ?? '' };
  } finally {
    await provider.close();
  }
}

const MACHINES: readonly [string, Readonly<Record<string, unknown>>][] = [
  ['of Google', { type: 'gcp', audience: AUDIENCE }],
  ['of Azure, by managed identity', { type: 'azure', audience: `api://${AUDIENCE}` }],
  ['of Azure, by attested document', { type: 'azure-attested', audience: AUDIENCE }],
  ['that is a pod', { type: 'kubernetes' }],
];

describe('a machine', () => {
  it.each(MACHINES)('%s logs in with docker and pulls from Artifact Registry', async (_, provider) => {
    const login = await docker.login(proxy.host, await loginOf(provider));
    expect(login).toMatchObject({ code: 0 });
    const image = `${proxy.host}/google/app:latest`;
    expect(await docker.pull(image)).toMatchObject({ code: 0 });
    expect(await docker.digests(image)).toContain(google.digest);
  });

  it.each(MACHINES)('%s pulls with containerd from Azure Container Registry', async (_, provider) => {
    const { username, password } = await loginOf(provider);
    // What the one before has pulled would not be asked for again.
    await ctr.run('images', 'rm', '--sync', `${proxy.host}/azure/app:latest`);
    const pulled = await ctr.run(
      'images',
      'pull',
      '--snapshotter',
      'native',
      '--plain-http',
      '--user',
      `${username}:${password}`,
      `${proxy.host}/azure/app:latest`,
    );
    expect(pulled).toMatchObject({ code: 0 });
    expect((await ctr.run('images', 'ls')).stdout).toContain(azure.digest);
  });

  it('that shows the document of another one is turned away', async () => {
    const { password } = await loginOf({ type: 'azure-attested', audience: AUDIENCE });
    const payload = JSON.parse(Buffer.from(password.split('.')[2] ?? '', 'base64url').toString());
    const stolen = { ...payload, nonce: randomBytes(32).toString('base64url') };
    const forged = `drp1.azure-attested.${Buffer.from(JSON.stringify(stolen)).toString('base64url')}`;
    const login = await docker.login(proxy.host, { username: '_azure', password: forged });
    expect(login.code).not.toBe(0);
    expect(login.stderr).toContain('unauthorized');
  });
});

it('no credential stands in the log', () => {
  const log = JSON.stringify(proxy.logLines());
  expect(log).not.toMatch(/eyJ|ya29\.|drp1\.azure/);
});
