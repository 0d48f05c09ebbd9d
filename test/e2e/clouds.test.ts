import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret, systemClock } from '../../src/core/index.ts';
import { createCredentialProvider, credentialOptions } from '../../src/credentials/index.ts';
import { createLogger } from '../../src/telemetry/index.ts';
import { surroundings } from '../credentials/aws/support.ts';
import { MACHINE as AZURE_MACHINE } from '../credentials/azure/support.ts';
import { INSTANCE, MACHINE_ACCOUNT } from '../credentials/gcp/support.ts';
import { createKubelet, type Reply } from '../kubelet/image-service/support/kubelet.ts';
import { type OptionsInput, startService } from '../kubelet/image-service/support/service.ts';
import { createIssuerKey } from '../proxy/identity/support/issuer.ts';
import {
  type AccessKeys,
  createAccounts,
  createDocumentSigner,
  type EcrApi,
  type EcrRegistry,
  instanceDocument,
  signedDocument,
  startEcrApi,
  startEcrRegistry,
  startImds,
  startSts,
} from '../servers/aws/index.ts';
import {
  createAttestation,
  startAzureInstanceMetadata,
  startContainerRegistry,
  startEntra,
} from '../servers/azure/index.ts';
import type { CloudRegistry } from '../servers/cloud-registry.ts';
import {
  createGoogleIdentity,
  startArtifactRegistry,
  startGoogleMetadataServer,
} from '../servers/google/index.ts';
import { type Containerd, type Dockerd, startContainerd, startDockerd } from '../servers/index.ts';
import { type PushedImage, pushImage } from '../support/images.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { type Client, createCtr, createDockerClient, type DockerClient } from './clients.ts';
import { imageRequest, pullRequest } from './image-service-site.ts';

const AUDIENCE = 'docker.example.com';
const ACCOUNT = '111122223333';
const INSTANCE_ID = 'i-0123456789abcdef0';
const SUBSCRIPTION = 'cccccccc-0000-4000-8000-000000000001';
const VIRTUAL_MACHINE = '02aab8a4-74ef-476e-8182-f6d2ba4166a6';
/** How the clouds' tokens begin. */
const SECRETS = /eyJ|ya29\.|drp1\./;
const CLUSTER = 'https://kubernetes.default.svc.cluster.local';

interface Login {
  readonly username: string;
  readonly password: string;
}

let folder: string;
let env: Record<string, string>;
let proxy: RunningProxy;
let engine: Dockerd;
let containerd: Containerd;
let artifacts: CloudRegistry;
let acr: CloudRegistry;
let ecr: EcrRegistry;
let ecrApi: EcrApi;
let docker: DockerClient;
let ctr: Client;
let podToken: string;
let startAwsSession: () => AccessKeys;
let awsMetadata: string;
let image: PushedImage;
let other: PushedImage;
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
  artifacts = closeLater(await startArtifactRegistry(identity, [MACHINE_ACCOUNT.email]));
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
  acr = closeLater(await startContainerRegistry({ entra, readers: [AZURE_MACHINE.principalId] }));
  image = await pushImage(
    { url: artifacts.url, authorization: `Bearer ${await artifacts.issue('repository:acme/app:pull,push')}` },
    'acme/app',
    'latest',
  );
  other = await pushImage(
    { url: acr.url, authorization: `Bearer ${await acr.issue('repository:acme/app:pull,push')}` },
    'acme/app',
    'latest',
  );
  const accounts = createAccounts();
  const sts = closeLater(await startSts(accounts));
  const role = { account: ACCOUNT, name: 'node', trusted: [], permissions: ['ecr:GetAuthorizationToken'] };
  startAwsSession = () => accounts.startSession(role, INSTANCE_ID);
  ecrApi = closeLater(await startEcrApi(accounts));
  ecr = closeLater(await startEcrRegistry(ecrApi, accounts));
  await pushImage(ecr.open, 'acme/app', 'latest');
  const signer = await createDocumentSigner();
  const document = signedDocument(
    instanceDocument({ pendingTime: new Date().toISOString().replace(/\.\d{3}/, '') }),
    signer,
  );
  awsMetadata = closeLater(await startImds({ region: 'eu-west-1', rsa2048: () => document })).url;
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
              name: 'roles',
              type: 'aws-sts',
              audience: AUDIENCE,
              accounts: [ACCOUNT],
              roles: [`arn:aws:iam::${ACCOUNT}:role/node`],
              endpoint: sts.url,
            },
            { name: 'instances', type: 'aws-iid', certificates: 'aws', accounts: [ACCOUNT] },
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
              when: `identity.claims.projectId == "acme-images" || identity.claims.instanceId == "${INSTANCE_ID}" || identity.verifier in ["azure", "vms", "pods"]`,
              repositories: ['google/**', 'azure/**'],
              actions: ['pull'],
            },
          ],
        },
      },
      {
        environment: env,
        files: {
          'aws/eu-west-1.pem': signer.certificatePem,
          'google.json': identity.keySet,
          'cluster.json': JSON.stringify({ keys: [cluster.jwk] }),
          'roots.pem': attestation.root.toString(),
          'intermediates.pem': attestation.intermediate.toString(),
        },
      },
    ),
  );
  engine = closeLater(await startDockerd());
  containerd = closeLater(await startContainerd());
  docker = closeLater(await createDockerClient(engine));
  ctr = closeLater(await createCtr(containerd));
});

afterAll(async () => {
  for (const started of closing) await started.close();
  await rm(folder, { recursive: true, force: true });
});

/** Makes this process one on such a machine, for the running test. @returns the provider's options there */
async function onMachine(
  input: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, unknown>>> {
  const hasKeys = input.type === 'aws-sts' || input.type === 'ecr';
  await surroundings({
    ...(hasKeys && { keys: startAwsSession() }),
    variables: {
      ...env,
      AWS_REGION: 'eu-west-1',
      ...(input.type === 'aws-iid' && { AWS_EC2_METADATA_SERVICE_ENDPOINT: awsMetadata }),
    },
  });
  const hasNonce = input.type === 'aws-iid' || input.type === 'azure-attested';
  return { ...(hasNonce && { nonceFile: join(folder, `${input.type}.nonce`) }), ...input };
}

/** What a provider on a machine gives for the proxy. */
async function loginOf(input: Readonly<Record<string, unknown>>): Promise<Login> {
  const options = credentialOptions.parse(await onMachine(input));
  const provider = createCredentialProvider(options, { clock: systemClock, log: createLogger('silent') });
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
  ['of AWS, by its role', { type: 'aws-sts', audience: AUDIENCE }],
  ['of AWS, by identity document', { type: 'aws-iid' }],
  ['of Google', { type: 'gcp', audience: AUDIENCE }],
  ['of Azure, by managed identity', { type: 'azure', audience: `api://${AUDIENCE}` }],
  ['of Azure, by attested document', { type: 'azure-attested', audience: AUDIENCE }],
  ['that is a pod', { type: 'kubernetes' }],
];

async function pullWithContainerd(name: string, { username, password }: Login): Promise<string> {
  // What the one before has pulled would not be asked for again.
  await ctr.run('images', 'rm', '--sync', name);
  const credentials = ['--user', `${username}:${password}`];
  const pulled = await ctr.run(
    ...['images', 'pull', '--snapshotter', 'native', '--plain-http', ...credentials, name],
  );
  expect(pulled).toMatchObject({ code: 0 });
  return (await ctr.run('images', 'ls')).stdout;
}

async function pullWithDocker(name: string, login: Login): Promise<string[]> {
  expect(await docker.login(proxy.host, login)).toMatchObject({ code: 0 });
  expect(await docker.pull(name)).toMatchObject({ code: 0 });
  return docker.digests(name);
}

/** Pulls through an image service of this process, as kubelet does without a secret. */
async function pullWithImageService(
  backend: OptionsInput['backend'],
  host: string,
  name: string,
  provider: Readonly<Record<string, unknown>>,
): Promise<Reply> {
  const image = `${host}/${name}`;
  const service = await startService({
    backend,
    credentials: [
      // Of a shape that the options themselves check.
      { images: [`${host}/**`], provider: provider as { type: 'anonymous' }, order: 'provider-only' },
    ],
  });
  const kubelet = createKubelet(service.socket, { authority: service.socket });
  try {
    await kubelet.call('RemoveImage', imageRequest(image));
    return await kubelet.call('PullImage', pullRequest(image));
  } finally {
    kubelet.close();
    await service.close();
    expect(service.logLines.join('')).not.toMatch(SECRETS);
  }
}

describe('the image service of a machine', () => {
  const proxyAnd = (provider: Readonly<Record<string, unknown>>) => () =>
    [proxy.host, 'google/app:latest', provider] as const;
  /** Where a pull goes, and with which provider. */
  type Source = () => readonly [host: string, name: string, provider: Readonly<Record<string, unknown>>];

  it.each<[string, Source]>([
    ...MACHINES.filter(([, { type }]) => type !== 'kubernetes').map(([name, provider]): [string, Source] => [
      `${name}, at the proxy`,
      proxyAnd(provider),
    ]),
    ['of Google, at its own registry', () => ownRegistry('gcp', artifacts.service.host)],
    ['of Azure, at its own registry', () => ownRegistry('acr', acr.service.host)],
    [
      'of AWS, at its own registry',
      () => [
        new URL(ecr.url).host,
        'acme/app:latest',
        { type: 'ecr', region: 'eu-west-1', endpoint: ecrApi.url },
      ],
    ],
  ])('%s pulls with Docker Engine and with containerd', async (_name, source) => {
    const [host, name, provider] = source();
    const options = await onMachine(provider);
    const replies = await Promise.all([
      pullWithImageService({ type: 'docker', socket: engine.socket }, host, name, options),
      pullWithImageService({ type: 'cri', socket: containerd.socket }, host, name, options),
    ]);
    expect(replies.map(({ status, message }) => [status, message])).toEqual([
      [0, ''],
      [0, ''],
    ]);
  });

  function ownRegistry(type: string, host: string) {
    return [host, 'acme/app:latest', { type, registries: [host] }] as const;
  }
});

describe('one source for three clouds: a machine', () => {
  it.each(MACHINES)('%s logs in, and pulls with docker and with containerd', async (_, provider) => {
    const login = await loginOf(provider);
    const name = `${proxy.host}/google/app:latest`;
    expect(await pullWithDocker(name, login)).toContain(image.digest);
    expect(await pullWithContainerd(name, login)).toContain(image.digest);
  });

  it('pulls from another cloud in the same way', async () => {
    const login = await loginOf({ type: 'aws-sts', audience: AUDIENCE });
    const name = `${proxy.host}/azure/app:latest`;
    expect(await pullWithDocker(name, login)).toContain(other.digest);
    expect(await pullWithContainerd(name, login)).toContain(other.digest);
  });

  it('that shows the document of another one is turned away', async () => {
    const { password } = await loginOf({ type: 'azure-attested', audience: AUDIENCE });
    const payload = JSON.parse(Buffer.from(password.split('.')[2] ?? '', 'base64url').toString());
    const stolen = { ...payload, nonce: randomBytes(32).toString('base64url') };
    const forged = `drp1.azure-attested.${Buffer.from(JSON.stringify(stolen)).toString('base64url')}`;
    const thieves = [
      { username: '_azure', password: forged },
      await loginOf({ type: 'aws-iid', nonceFile: join(folder, 'thief.nonce') }),
    ];
    // Where the machines themselves have logged in before.
    await docker.login(proxy.host, await loginOf({ type: 'aws-iid' }));
    for (const thief of thieves) {
      const login = await docker.login(proxy.host, thief);
      expect(login.code).not.toBe(0);
      expect(login.stderr).toContain('unauthorized');
    }
  });
});

it('no credential stands in the log', () => {
  const log = JSON.stringify(proxy.logLines());
  expect(log).not.toMatch(SECRETS);
});
