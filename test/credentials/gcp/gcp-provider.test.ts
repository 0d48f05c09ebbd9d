import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  CredentialOptionsError,
  type CredentialProvider,
  credentialOptions,
} from '../../../src/credentials/index.ts';
import { createIssuerKey } from '../../proxy/identity/support/issuer.ts';
import { FEDERATED_CALLER } from '../../servers/google/index.ts';
import { createTemporaryFolder } from '../../support/temporary-folder.ts';
import { describeProvider } from '../provider-suite.ts';
import { createGoogleWorld, INSTANCE, MACHINE_ACCOUNT, REGISTRY } from './support.ts';

const { signal } = new AbortController();
const TARGET = 'puller@acme-images.iam.gserviceaccount.com';
const POOL =
  '//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/ci/providers/ci';

async function passwordOf(provider: CredentialProvider, registry = REGISTRY): Promise<string> {
  const credential = await provider.credential({ registry, signal });
  return credential?.password.reveal() ?? '';
}

function failure(provider: CredentialProvider, registry = REGISTRY): Promise<string> {
  return provider.credential({ registry, signal }).then(
    () => 'none',
    (error: unknown) => String(error),
  );
}

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

async function federation(extra: object = {}) {
  const key = await createIssuerKey('RS256', 'ci');
  const world = await createGoogleWorld({
    pool: { audience: POOL, issuer: 'https://ci.example.com', keys: { keys: [key.jwk] } },
    tokenCreators: [
      [FEDERATED_CALLER, TARGET],
      [TARGET, TARGET],
    ],
  });
  const folder = await createTemporaryFolder('federation');
  onTestFinished(() => folder.close());
  const { SignJWT } = await import('jose');
  const tokenFile = join(folder.path, 'token');
  const writeToken = async (audience = `https:${POOL}`): Promise<void> => {
    const token = await new SignJWT({ sub: 'job' })
      .setProtectedHeader({ alg: 'RS256', kid: 'ci' })
      .setIssuer('https://ci.example.com')
      .setAudience(audience)
      .setExpirationTime(Math.floor(world.clock.now() / 1000) + 600)
      .sign(key.privateKey);
    await writeFile(tokenFile, token);
  };
  await writeToken();
  const file = JSON.stringify({
    type: 'external_account',
    audience: POOL,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${world.services.origin}/v1/token`,
    credential_source: { file: tokenFile, format: { type: 'text' } },
    ...extra,
  });
  return { ...world, file, tokenFile, writeToken };
}

{
  // A fixed token, so that the suite can know it.
  const token = 'ya29.canary-of-the-suite';
  describeProvider('gcp at a metadata server', {
    type: 'gcp',
    create: () => {
      let provider: Promise<CredentialProvider> | undefined;
      const real = async (): Promise<CredentialProvider> => {
        const world = await createGoogleWorld();
        world.metadata.answerInstead(() => ({
          status: 200,
          headers: { 'metadata-flavor': 'Google' },
          body: { access_token: token, expires_in: 3600, token_type: 'Bearer' },
        }));
        return world.provider();
      };
      return {
        type: 'gcp',
        credential: async (request) => {
          provider ??= real();
          return (await provider).credential(request);
        },
        close: async () => (await provider)?.close(),
      };
    },
    registry: REGISTRY,
    expected: { username: 'oauth2accesstoken', password: token },
  });
}

describe('an access token', () => {
  it('comes from the metadata server, and is replaced before it ends', async () => {
    const { provider, identity, clock, metadata } = await createGoogleWorld();
    const gcp = provider();
    const first = await gcp.credential({ registry: REGISTRY, signal });
    expect(first?.username).toBe('oauth2accesstoken');
    expect(identity.accessOf(first?.password.reveal() ?? '')?.email).toBe(MACHINE_ACCOUNT.email);
    expect(first?.expiresAt).toBe(clock.now() + 3_600_000);
    clock.advance(3_539_000);
    expect(await passwordOf(gcp)).toBe(first?.password.reveal());
    clock.advance(1_000);
    expect(await passwordOf(gcp)).not.toBe(first?.password.reveal());
    expect(metadata.received).toHaveLength(2);
    expect(metadata.received[0]?.headers).toMatchObject({ 'metadata-flavor': 'Google' });
  });

  it('that was turned away is replaced at once', async () => {
    const { provider } = await createGoogleWorld();
    const gcp = provider();
    const first = await gcp.credential({ registry: REGISTRY, signal });
    if (!first) throw new Error('there is none');
    gcp.discard?.(first);
    expect(await passwordOf(gcp)).not.toBe(first.password.reveal());
  });

  it('comes from the key of a service account', async () => {
    const { provider, identity, services, metadata } = await createGoogleWorld();
    const gcp = provider({
      credentialsFile: await services.createKey(TARGET),
      scope: 'https://www.googleapis.com/auth/cloud-platform.read-only',
    });
    expect(identity.accessOf(await passwordOf(gcp))).toMatchObject({
      email: TARGET,
      scope: 'https://www.googleapis.com/auth/cloud-platform.read-only',
    });
    expect(metadata.received).toEqual([]);
  });

  it('comes from the file that GOOGLE_APPLICATION_CREDENTIALS names', async () => {
    const { provider, identity, services } = await createGoogleWorld();
    const folder = await createTemporaryFolder('adc');
    onTestFinished(() => folder.close());
    const path = join(folder.path, 'key.json');
    await writeFile(path, await services.createKey(TARGET));
    const gcp = provider({}, { GOOGLE_APPLICATION_CREDENTIALS: path });
    expect(identity.accessOf(await passwordOf(gcp))?.email).toBe(TARGET);
    const missing = provider({}, { GOOGLE_APPLICATION_CREDENTIALS: `${path}.gone` });
    expect(await failure(missing)).toContain(`${path}.gone, which can't be read`);
  });

  it('of another account comes by impersonation, from a machine and from a key', async () => {
    const { provider, identity, services } = await createGoogleWorld({
      tokenCreators: [
        [MACHINE_ACCOUNT.email, TARGET],
        ['other@acme-images.iam.gserviceaccount.com', TARGET],
      ],
    });
    const credentialsFile = await services.createKey('other@acme-images.iam.gserviceaccount.com');
    for (const input of [{ impersonate: TARGET }, { impersonate: TARGET, credentialsFile }]) {
      expect(identity.accessOf(await passwordOf(provider(input)))?.email).toBe(TARGET);
    }
  });

  it("comes by workload identity federation, with the pool's own account or a service account's", async () => {
    const plain = await federation();
    const own = await passwordOf(plain.provider({ credentialsFile: plain.file }));
    expect(plain.identity.accessOf(own)?.email).toBe(FEDERATED_CALLER);
    const acting = await federation();
    const file = JSON.stringify({
      ...JSON.parse(acting.file),
      service_account_impersonation_url: acting.services.impersonationUrl(TARGET),
    });
    const token = await passwordOf(acting.provider({ credentialsFile: file }));
    expect(acting.identity.accessOf(token)?.email).toBe(TARGET);
  });

  it('by federation is made of what the token file holds at that time', async () => {
    const { provider, file, writeToken, clock } = await federation();
    const gcp = provider({ credentialsFile: file });
    await writeToken('https://of.somebody.else');
    expect(await failure(gcp)).toContain('rejected by the attribute condition');
    clock.advance(60_000);
    await writeToken();
    expect(await passwordOf(gcp)).toMatch(/^ya29/);
  });

  it.each([
    ['registry.example.com', false],
    ['gcr.io.evil.example', false],
    ['evilgcr.io', false],
    ['a.b.gcr.io', false],
    ['169.254.169.254', false],
    ['gcr.io', true],
    ['eu.gcr.io', true],
    ['GCR.io', true],
    ['europe-west1-docker.pkg.dev', true],
    ['registry.internal:5000', true],
  ])('for %s: %s', async (registry, isGiven) => {
    const { provider, metadata } = await createGoogleWorld();
    const gcp = provider({ registries: ['registry.internal:5000'] });
    const outcome = await failure(gcp, registry);
    expect(outcome === 'none').toBe(isGiven);
    if (isGiven) return;
    expect(outcome).toContain('list it in registries');
    expect(metadata.received).toEqual([]);
  });
});

describe('an identity token', () => {
  it('comes from the metadata server and names the instance; the registry is whatever it is', async () => {
    const { provider } = await createGoogleWorld();
    const credential = await provider({ audience: 'docker.example.com' }).credential({
      registry: 'docker.example.com',
      signal,
    });
    expect(credential?.username).toBe('_gcp');
    const claims = claimsOf(credential?.password.reveal() ?? '');
    expect(claims).toMatchObject({
      aud: 'docker.example.com',
      email: MACHINE_ACCOUNT.email,
      google: { compute_engine: INSTANCE },
    });
    expect(credential?.expiresAt).toBe(Number(claims.exp) * 1000);
  });

  it('comes from a key, and by impersonation', async () => {
    const { provider, services } = await createGoogleWorld({
      tokenCreators: [[MACHINE_ACCOUNT.email, TARGET]],
    });
    const credentialsFile = await services.createKey('key@acme-images.iam.gserviceaccount.com');
    const audience = 'docker.example.com';
    const ofKey = await passwordOf(provider({ audience, credentialsFile }));
    expect(claimsOf(ofKey)).toMatchObject({
      aud: audience,
      email: 'key@acme-images.iam.gserviceaccount.com',
    });
    const impersonated = await passwordOf(provider({ audience, impersonate: TARGET, username: 'node' }));
    expect(claimsOf(impersonated)).toMatchObject({ aud: audience, email: TARGET });
  });

  it('by federation needs an account to act as', async () => {
    const { provider, file } = await federation();
    const audience = 'docker.example.com';
    expect(await failure(provider({ audience, credentialsFile: file }))).toContain(
      'name a service account in impersonate',
    );
    const token = await passwordOf(provider({ audience, credentialsFile: file, impersonate: TARGET }));
    expect(claimsOf(token)).toMatchObject({ email: TARGET });
  });

  it('for an audience with odd characters is for exactly that audience', async () => {
    const { provider } = await createGoogleWorld();
    const audience = 'https://docker.example.com/?a=b&format=standard#x y';
    expect(claimsOf(await passwordOf(provider({ audience }))).aud).toBe(audience);
  });
});

describe('what went wrong is told', () => {
  it('when there is no metadata server', async () => {
    const { provider, metadata } = await createGoogleWorld();
    await metadata.close();
    expect(await failure(provider())).toContain('this machine is not on Google Cloud');
  });

  it('when something else answers at its address', async () => {
    const { provider, metadata } = await createGoogleWorld();
    metadata.answerInstead(() => ({ status: 200, body: { access_token: 'canary', expires_in: 1 } }));
    const told = await failure(provider());
    expect(told).toContain('no metadata server');
    expect(told).not.toContain('canary');
  });

  it('when the metadata server does not answer in time', async () => {
    const { provider, metadata } = await createGoogleWorld();
    metadata.answerInstead(() => undefined);
    expect(await failure(provider())).toContain('does not answer');
  });

  it('when the machine has no service account', async () => {
    const { provider } = await createGoogleWorld({ account: undefined });
    expect(await failure(provider())).toContain('attach one to the instance');
  });

  it('when it throttles for long; shortly is got over', async () => {
    const { provider, metadata } = await createGoogleWorld();
    metadata.failNext(2, 429);
    expect(await passwordOf(provider())).toMatch(/^ya29/);
    metadata.failNext(3, 503);
    expect(await failure(provider())).toContain('answers 503, 3 times');
  });

  it('when GKE does not let the pod act as the account', async () => {
    const { provider, metadata } = await createGoogleWorld();
    metadata.failNext(1, 403);
    expect(await failure(provider())).toContain('roles/iam.workloadIdentityUser');
  });

  it('when the key was deleted, without a word of it', async () => {
    const { provider, services } = await createGoogleWorld();
    const file = await services.createKey(TARGET);
    services.deleteKeys(TARGET);
    const told = await failure(provider({ credentialsFile: file }));
    expect(told).toContain('the key was deleted');
    expect(told).not.toContain('PRIVATE KEY');
    expect(told).not.toContain('eyJ');
  });

  it('when the clock is off', async () => {
    const { provider, services, clock } = await createGoogleWorld({ now: () => Date.now() });
    clock.advance(3_600_000);
    const told = await failure(provider({ credentialsFile: await services.createKey(TARGET) }));
    expect(told).toContain("this machine's clock is off");
  });

  it('when the account may not act as the other', async () => {
    const { provider } = await createGoogleWorld();
    expect(await failure(provider({ impersonate: TARGET }))).toContain(
      'roles/iam.serviceAccountTokenCreator',
    );
  });

  it('when federation asks for a kind of source that is not there', async () => {
    const { provider, file, tokenFile } = await federation();
    const certificate = JSON.stringify({ ...JSON.parse(file), credential_source: { certificate: {} } });
    expect(await failure(provider({ credentialsFile: certificate }))).toContain('client certificates');
    const { rm } = await import('node:fs/promises');
    await rm(tokenFile);
    expect(await failure(provider({ credentialsFile: file }))).toContain('credential_source gives no token');
  });

  it.each([
    ['no JSON', 'canary {', 'is not JSON'],
    [
      'another type',
      '{"type":"authorized_user","refresh_token":"canary"}',
      'expected service_account or external_account',
    ],
    ['no key', '{"type":"service_account","client_email":"a@b"}', 'private_key is missing'],
    [
      'a token service in the clear',
      '{"type":"service_account","client_email":"a@b","private_key":"canary","token_uri":"http://evil.example/"}',
      'token_uri is missing or wrong',
    ],
  ])('when the file is %s', async (_, credentialsFile, message) => {
    const { provider } = await createGoogleWorld();
    const create = () => provider({ credentialsFile });
    expect(create).toThrow(CredentialOptionsError);
    expect(create).toThrow(message);
    expect(create).not.toThrow('canary');
  });

  it('when the private key is none', async () => {
    const { provider } = await createGoogleWorld();
    const file = { type: 'service_account', client_email: TARGET, private_key: 'canary' };
    const told = await failure(provider({ credentialsFile: JSON.stringify(file) }));
    expect(told).toContain('make a new key file');
    expect(told).not.toContain('canary');
  });
});

it('no proxy of the environment sees a request', async () => {
  const { provider } = await createGoogleWorld();
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'])
    vi.stubEnv(name, 'http://127.0.0.1:1');
  expect(await passwordOf(provider())).toMatch(/^ya29/);
});

describe('options', () => {
  it.each([
    [{ impersonate: 'no address' }],
    [{ username: 'x' }],
    [{ audience: 'a', username: 'a:b' }],
    [{ registries: ['https://gcr.io'] }],
    [{ scope: 'everything' }],
  ])('%j are refused', (change) => {
    expect(credentialOptions.safeParse({ type: 'gcp', ...change }).success).toBe(false);
  });
});
