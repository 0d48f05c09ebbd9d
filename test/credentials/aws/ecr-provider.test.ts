import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/core/index.ts';
import {
  type CredentialProvider,
  createCredentialProvider,
  credentialOptions,
} from '../../../src/credentials/index.ts';
import { createLogger } from '../../../src/telemetry/index.ts';
import { createStillClock } from '../../proxy/identity/support/still-clock.ts';
import { createAccounts, type EcrApi, startEcrApi, startImds, startSts } from '../../servers/aws/index.ts';
import { describeProvider } from '../provider-suite.ts';
import { during, surroundings } from './support.ts';

const ACCOUNT = '111122223333';
const REGISTRY = `${ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com`;
const PERMISSIONS = ['ecr:GetAuthorizationToken'];
const HOUR_MS = 3_600_000;

function providerOf(options: object, clock = systemClock): CredentialProvider {
  const parsed = credentialOptions.parse({ type: 'ecr', ...options });
  const provider = createCredentialProvider(parsed, { clock, log: createLogger('silent') });
  onTestFinished(() => provider.close());
  return provider;
}

async function setUp(
  options: { readonly now?: () => number; readonly permissions?: readonly string[] } = {},
) {
  const accounts = createAccounts(options.now ? { now: options.now } : {});
  const api = await during(startEcrApi(accounts));
  const keys = accounts.createUser(ACCOUNT, 'puller', options.permissions ?? PERMISSIONS);
  await surroundings({ keys });
  const ask = async (provider: CredentialProvider, registry = REGISTRY) => {
    const credential = await provider.credential({ registry, signal: new AbortController().signal });
    if (!credential) throw new Error('there should be one');
    return credential;
  };
  return { accounts, api, keys, ask };
}

describe('with the API of ECR', () => {
  const PASSWORD = 'password-canary-of-ecr';
  let api: EcrApi;

  beforeEach(async () => {
    const accounts = createAccounts();
    api = await during(startEcrApi(accounts, { newPassword: () => PASSWORD }));
    await surroundings({ keys: accounts.createUser(ACCOUNT, 'puller', PERMISSIONS) });
  });

  describeProvider('ecr', {
    type: 'ecr',
    create: () => providerOf({ endpoint: api.url }),
    registry: REGISTRY,
    expected: { username: 'AWS', password: PASSWORD },
  });
});

describe('a password for a private registry', () => {
  it('is asked for in the region of the host, signed, and holds for 12 hours', async () => {
    const { api, ask } = await setUp();
    const credential = await ask(providerOf({ endpoint: api.url }));
    const issued = api.passwordOf(credential.password.reveal());
    expect(credential.username).toBe('AWS');
    expect(issued).toMatchObject({ region: 'eu-west-1', principal: { account: ACCOUNT } });
    expect(Math.abs((credential.expiresAt ?? 0) - Date.now() - 12 * HOUR_MS)).toBeLessThan(60_000);
  });

  it('is fetched once for many, and for each registry', async () => {
    const { api, ask } = await setUp();
    const provider = providerOf({ endpoint: api.url });
    const all = await Promise.all(Array.from({ length: 20 }, () => ask(provider)));
    expect(new Set(all.map(({ password }) => password.reveal())).size).toBe(1);
    expect(api.requests).toHaveLength(1);
    const other = await ask(provider, `${ACCOUNT}.dkr.ecr.us-west-2.amazonaws.com`);
    expect(api.passwordOf(other.password.reveal())?.region).toBe('us-west-2');
  });

  it('is replaced before it ends, and when it was turned away', async () => {
    const clock = createStillClock(Date.now());
    const { api, ask } = await setUp();
    const provider = providerOf({ endpoint: api.url }, clock);
    const first = await ask(provider);
    clock.advance(11 * HOUR_MS);
    expect(await ask(provider)).toBe(first);
    clock.advance(HOUR_MS - 60_000);
    const second = await ask(provider);
    expect(second).not.toBe(first);
    provider.discard?.(second);
    expect((await ask(provider)).password.reveal()).not.toBe(second.password.reveal());
    expect(api.requests).toHaveLength(3);
  });

  it.each([
    ['behind', HOUR_MS],
    ['ahead', -HOUR_MS],
  ])('is to be had with a clock that is an hour %s, and is not taken to last longer', async (_, skew) => {
    const { api, ask } = await setUp({ now: () => Date.now() + skew });
    const credential = await ask(providerOf({ endpoint: api.url }));
    expect(credential.expiresAt).toBeLessThanOrEqual(Date.now() + 12 * HOUR_MS);
    expect(api.requests.length).toBeLessThanOrEqual(3);
    // What we believe ends no later than what the registry believes.
    const issued = api.passwordOf(credential.password.reveal());
    expect(credential.expiresAt).toBeLessThanOrEqual((issued?.expiresAt ?? 0) - skew + 60_000);
  });

  it('of a registry with another name needs the region', async () => {
    const { api, ask } = await setUp();
    await expect(ask(providerOf({ endpoint: api.url }), 'images.example.com')).rejects.toThrow('set region');
    const credential = await ask(
      providerOf({ endpoint: api.url, region: 'sa-east-1' }),
      'images.example.com',
    );
    expect(api.passwordOf(credential.password.reveal())?.region).toBe('sa-east-1');
  });
});

describe('a password for the public registry', () => {
  it('comes from the one region that has it', async () => {
    const { api, ask } = await setUp({
      permissions: ['ecr-public:GetAuthorizationToken', 'sts:GetServiceBearerToken'],
    });
    const credential = await ask(providerOf({ endpoint: api.url }), 'public.ecr.aws');
    expect(api.passwordOf(credential.password.reveal())?.region).toBe('us-east-1');
  });

  it('says which of the two permissions is missing', async () => {
    const { api, ask } = await setUp({ permissions: ['ecr-public:GetAuthorizationToken'] });
    await expect(ask(providerOf({ endpoint: api.url }), 'public.ecr.aws')).rejects.toThrow(
      'allow sts:GetServiceBearerToken on *',
    );
  });
});

describe('AWS credentials are found', () => {
  async function start() {
    const accounts = createAccounts();
    const api = await during(startEcrApi(accounts));
    const role = { account: ACCOUNT, name: 'pull', permissions: PERMISSIONS, trusted: ['*'] };
    return { accounts, api, role };
  }

  async function principalOf(api: Awaited<ReturnType<typeof startEcrApi>>, options: object = {}) {
    const provider = providerOf({ endpoint: api.url, ...options });
    const credential = await provider.credential({
      registry: REGISTRY,
      signal: new AbortController().signal,
    });
    return api.passwordOf(credential?.password.reveal() ?? '')?.principal.arn;
  }

  it('in a profile', async () => {
    const { accounts, api } = await start();
    const keys = accounts.createUser(ACCOUNT, 'from-profile', PERMISSIONS);
    await surroundings({
      config: `[profile pulls]\naws_access_key_id=${keys.accessKeyId}\naws_secret_access_key=${keys.secretAccessKey}\n`,
    });
    expect(await principalOf(api, { profile: 'pulls' })).toContain(':user/from-profile');
  });

  it('with a web identity token', async () => {
    const { accounts, api, role } = await start();
    const arn = accounts.createRole(role);
    const sts = await during(startSts(accounts, { webIdentities: new Map([['projected-token', arn]]) }));
    const variables = { AWS_ROLE_ARN: arn, AWS_ENDPOINT_URL_STS: sts.url, AWS_ROLE_SESSION_NAME: 'pod' };
    const folder = await surroundings({});
    const file = join(folder, 'token');
    await writeFile(file, 'projected-token');
    await surroundings({ variables: { ...variables, AWS_WEB_IDENTITY_TOKEN_FILE: file } });
    expect(await principalOf(api)).toContain(':assumed-role/pull/pod');
  });

  it('on the instance, in a session of version 2', async () => {
    const { accounts, api, role } = await start();
    const keys = accounts.startSession(role, 'i-0123456789abcdef0');
    const imds = await during(startImds({ region: 'eu-west-1', role: { name: 'pull', keys: () => keys } }));
    await surroundings({ variables: { AWS_EC2_METADATA_SERVICE_ENDPOINT: imds.url } });
    expect(await principalOf(api)).toContain(':assumed-role/pull/i-0123456789abcdef0');
    expect(imds.sessions).toBeGreaterThan(0);
  });

  it('by assuming a role in the account of the registry, with its external id', async () => {
    const { accounts, api, role } = await start();
    accounts.createRole({ ...role, externalId: 'theirs' });
    const sts = await during(startSts(accounts));
    const keys = accounts.createUser('444455556666', 'proxy');
    await surroundings({ keys, variables: { AWS_ENDPOINT_URL_STS: sts.url } });
    const arn = 'arn:aws:iam::{account}:role/pull';
    expect(await principalOf(api, { role: { arn, externalId: 'theirs' } })).toBe(
      `arn:aws:sts::${ACCOUNT}:assumed-role/pull/docker-registry-proxy`,
    );
    await expect(principalOf(api, { role: { arn, externalId: 'other' } })).rejects.toThrow(
      `allow sts:AssumeRole on arn:aws:iam::${ACCOUNT}:role/pull`,
    );
  });
});

describe('what is wrong is said:', () => {
  it('a permission that is missing, by its name', async () => {
    const { api, ask } = await setUp({ permissions: [] });
    await expect(ask(providerOf({ endpoint: api.url }))).rejects.toThrow(
      'AWS denies it: allow ecr:GetAuthorizationToken on *',
    );
  });

  it('keys that have been deleted', async () => {
    const { api, ask, accounts, keys } = await setUp();
    accounts.revoke(keys);
    await expect(ask(providerOf({ endpoint: api.url }))).rejects.toThrow('does not know the access key');
  });

  it('keys that have expired', async () => {
    const { api, ask, accounts } = await setUp();
    const role = { account: ACCOUNT, name: 'pull', trusted: [], permissions: PERMISSIONS };
    await surroundings({ keys: accounts.startSession(role, 's', -1) });
    await expect(ask(providerOf({ endpoint: api.url }))).rejects.toThrow('have expired');
  });

  it('no credentials anywhere', async () => {
    const { api, ask } = await setUp();
    await surroundings({});
    await expect(ask(providerOf({ endpoint: api.url }))).rejects.toThrow('no AWS credentials were found');
    await expect(ask(providerOf({ endpoint: api.url, profile: 'gone' }))).rejects.toThrow('the profile gone');
  });

  it('a session of single sign-on that has expired', async () => {
    const { api, ask } = await setUp();
    await surroundings({
      config: [
        '[profile work]',
        'sso_session = corp',
        `sso_account_id = ${ACCOUNT}`,
        'sso_role_name = pull',
        '[sso-session corp]',
        'sso_region = eu-west-1',
        'sso_start_url = https://corp.awsapps.example/start',
      ].join('\n'),
    });
    await expect(ask(providerOf({ endpoint: api.url, profile: 'work' }))).rejects.toThrow('aws sso login');
  });

  it('throttling, and nobody is asked for a while then', async () => {
    const clock = createStillClock(Date.now());
    const { api, ask } = await setUp();
    const body = JSON.stringify({ __type: 'ThrottlingException', message: 'Rate exceeded' });
    const headers = { 'content-type': 'application/x-amz-json-1.1' };
    api.answerInstead({ status: 400, headers, body });
    const provider = providerOf({ endpoint: api.url }, clock);
    await expect(ask(provider)).rejects.toThrow('throttles');
    const asked = api.requests.length;
    for (let index = 0; index < 20; index += 1) await expect(ask(provider)).rejects.toThrow('throttles');
    expect(api.requests).toHaveLength(asked);
    api.answerInstead(undefined);
    clock.advance(1_000);
    expect((await ask(provider)).username).toBe('AWS');
  });

  it('a service that is out of reach', async () => {
    const { api, ask } = await setUp();
    await api.close();
    await expect(ask(providerOf({ endpoint: api.url }))).rejects.toThrow("can't be reached (ECONNREFUSED)");
  });

  it('an answer without a password', async () => {
    const { api, ask } = await setUp();
    for (const token of [
      '',
      Buffer.from('other:x').toString('base64'),
      Buffer.from('AWS:a\nb').toString('base64'),
    ]) {
      const body = JSON.stringify({ authorizationData: [{ authorizationToken: token, expiresAt: 1 }] });
      api.answerInstead({ status: 200, headers: { 'content-type': 'application/x-amz-json-1.1' }, body });
      await expect(ask(providerOf({ endpoint: api.url }))).rejects.toThrow('holds no password');
    }
  });
});
