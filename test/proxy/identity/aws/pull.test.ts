import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../../src/core/index.ts';
import { createCredentialProvider, credentialOptions } from '../../../../src/credentials/index.ts';
import { createLogger } from '../../../../src/telemetry/index.ts';
import { during, surroundings } from '../../../credentials/aws/support.ts';
import {
  createAccounts,
  createDocumentSigner,
  instanceDocument,
  signedDocument,
  startEcrApi,
  startEcrRegistry,
  startImds,
  startSts,
} from '../../../servers/aws/index.ts';
import { pushImage } from '../../../support/images.ts';
import { basic, createSite, runProxy } from '../../support/running-proxy.ts';

const ACCOUNT = '111122223333';
const INSTANCE = 'i-0123456789abcdef0';

/** A proxy in front of ECR that knows machines of one account, by either kind of login. */
async function setUp() {
  const accounts = createAccounts();
  const [sts, api, signer] = await Promise.all([
    during(startSts(accounts)),
    during(startEcrApi(accounts)),
    createDocumentSigner(),
  ]);
  const ecr = await during(startEcrRegistry(api, accounts));
  const image = await pushImage(ecr.open, 'team/app', 'latest');
  const proxyKeys = accounts.createUser(ACCOUNT, 'proxy', ['ecr:GetAuthorizationToken']);
  const site = await createSite();
  onTestFinished(() => site.remove());
  await mkdir(join(site.folder, 'aws'));
  await writeFile(join(site.folder, 'aws', 'eu-west-1.pem'), signer.certificatePem);
  const options = await site.options({
    upstreams: {
      amazon: { url: ecr.url, credentials: { type: 'ecr', region: 'eu-west-1', endpoint: api.url } },
    },
    routes: [{ upstream: 'amazon' }],
    authentication: {
      verifiers: [
        {
          name: 'nodes',
          type: 'aws-sts',
          username: '_aws',
          audience: 'docker.example.com',
          accounts: [ACCOUNT],
          endpoint: sts.url,
        },
        {
          name: 'instances',
          type: 'aws-iid',
          username: '_aws-iid',
          certificates: 'aws',
          accounts: [ACCOUNT],
        },
      ],
    },
    authorization: {
      rules: [
        {
          name: 'this instance',
          when: `identity.claims.accountId == "${ACCOUNT}" && identity.claims.instanceId == "${INSTANCE}"`,
          repositories: ['team/**'],
          actions: ['pull'],
        },
      ],
    },
  });
  const running = await runProxy(options);
  onTestFinished(() => running.proxy.close());
  const role = { account: ACCOUNT, name: 'node', trusted: [] };
  return { accounts, signer, image, proxyKeys, site, running, role };
}

async function credentialOf(options: object) {
  const provider = createCredentialProvider(credentialOptions.parse(options), {
    clock: systemClock,
    log: createLogger('silent'),
  });
  const made = await provider.credential({
    registry: 'docker.example.com',
    signal: new AbortController().signal,
  });
  await provider.close();
  if (!made) throw new Error('there should be one');
  return basic(made.username, made.password.reveal());
}

it('a machine with a role, and an instance without, pull an image of ECR with nothing secret of ours', async () => {
  const { accounts, signer, image, proxyKeys, site, running, role } = await setUp();
  const { url, service } = running;
  const SCOPE = 'repository:team/app:pull';
  const askForToken = (headers: Record<string, string>) =>
    fetch(`${url}/token?service=${service}&scope=${SCOPE}&offline_token=true`, { headers });
  const pull = async (token: string) => {
    await surroundings({ keys: proxyKeys });
    const answer = await fetch(`${url}/v2/team/app/manifests/latest`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return [answer.status, answer.headers.get('docker-content-digest')];
  };

  await surroundings({ keys: accounts.startSession(role, INSTANCE), variables: { AWS_REGION: 'eu-west-1' } });
  const node = await askForToken(await credentialOf({ type: 'aws-sts', audience: 'docker.example.com' }));
  const ofNode = (await node.json()) as Record<string, string>;
  expect(node.status).toBe(200);
  expect(ofNode.refresh_token).toBeUndefined();
  expect(await pull(ofNode.token ?? '')).toEqual([200, image.digest]);

  const document = instanceDocument({ pendingTime: new Date().toISOString().replace(/\.\d{3}/, '') });
  const imds = await during(
    startImds({ region: 'eu-west-1', rsa2048: () => signedDocument(document, signer) }),
  );
  await surroundings({ variables: { AWS_EC2_METADATA_SERVICE_ENDPOINT: imds.url } });
  const machine = (nonce: string) => credentialOf({ type: 'aws-iid', nonceFile: join(site.folder, nonce) });
  const instance = await askForToken(await machine('mine'));
  const ofInstance = (await instance.json()) as Record<string, string>;
  expect(await pull(ofInstance.token ?? '')).toEqual([200, image.digest]);

  const refreshed = await fetch(`${url}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: ofInstance.refresh_token ?? '',
      service,
      scope: SCOPE,
    }),
  });
  expect(refreshed.status).toBe(200);
  expect(await pull(((await refreshed.json()) as Record<string, string>).token ?? '')).toEqual([
    200,
    image.digest,
  ]);

  await surroundings({ variables: { AWS_EC2_METADATA_SERVICE_ENDPOINT: imds.url } });
  expect((await askForToken(await machine('of-a-thief'))).status).toBe(401);
  expect((await askForToken(await machine('mine'))).status).toBe(200);
  expect(running.logged()).not.toMatch(/drp1\.aws/);
});
