import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Secret } from '../../../src/core/index.ts';
import {
  CredentialOptionsError,
  type CredentialProvider,
  credentialOptions,
} from '../../../src/credentials/index.ts';
import { createIssuerKey } from '../../proxy/identity/support/issuer.ts';
import { startAppIdentity } from '../../servers/azure/index.ts';
import { createRsaCertificate } from '../../support/rsa-certificate.ts';
import { createTemporaryFolder } from '../../support/temporary-folder.ts';
import { describeProvider } from '../provider-suite.ts';
import {
  APPLICATION_ID,
  AUDIENCE,
  type AzureWorld,
  createAzureWorld,
  MACHINE,
  PRINCIPAL_ID,
} from './support.ts';

const { signal } = new AbortController();
const NOBODY = '00000000-0000-0000-0000-000000000000';

async function passwordOf(provider: CredentialProvider, registry = 'docker.example.com'): Promise<string> {
  return (await provider.credential({ registry, signal }))?.password.reveal() ?? '';
}

function failure(provider: CredentialProvider, registry = 'docker.example.com'): Promise<string> {
  return provider.credential({ registry, signal }).then(
    () => 'none',
    (error: unknown) => String(error),
  );
}

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

/** The options of a service principal at the fake. */
function principal({ entra }: AzureWorld, proof: object) {
  return {
    type: 'azure',
    audience: AUDIENCE,
    authority: entra.origin,
    tenantId: entra.tenantId,
    clientId: APPLICATION_ID,
    ...proof,
  };
}

describeProvider('azure at an instance metadata service', {
  type: 'azure',
  create: () =>
    lazily('azure', async () => {
      const world = await createAzureWorld();
      world.metadata.answerInstead(() => ({
        status: 200,
        body: {
          access_token: 'canary-of-the-suite',
          expires_in: '3600',
          expires_on: String(Math.floor(Date.now() / 1000) + 3600),
        },
      }));
      return world.provider({ type: 'azure', audience: AUDIENCE });
    }),
  registry: 'docker.example.com',
  expected: { username: '_azure', password: 'canary-of-the-suite' },
});

/** A provider that is made when it is first asked. */
function lazily(type: string, make: () => Promise<CredentialProvider>): CredentialProvider {
  let made: Promise<CredentialProvider> | undefined;
  return {
    type,
    async credential(request) {
      made ??= make();
      return (await made).credential(request);
    },
    close: async () => (await made)?.close(),
  };
}

describe('a token of Entra ID', () => {
  it('comes from the managed identity of a machine', async () => {
    const { provider, metadata } = await createAzureWorld();
    const credential = await provider({ type: 'azure', audience: AUDIENCE }).credential({
      registry: 'x.example',
      signal,
    });
    const claims = claimsOf(credential?.password.reveal() ?? '');
    expect(claims).toMatchObject({ aud: AUDIENCE, oid: MACHINE.principalId, xms_mirid: MACHINE.resourceId });
    expect(credential?.username).toBe('_azure');
    expect(credential?.expiresAt).toBe(Number(claims.exp) * 1000);
    expect(metadata.received.map(({ headers }) => headers.metadata)).toEqual(['true']);
  });

  it('of one of several managed identities needs its client id', async () => {
    const other = { ...MACHINE, clientId: 'aaaaaaaa-0000-4000-8000-000000000002', principalId: 'other' };
    const { provider } = await createAzureWorld({ identities: [MACHINE, other] });
    expect(await failure(provider({ type: 'azure', audience: AUDIENCE }))).toContain('name its clientId');
    const byOption = provider({ type: 'azure', audience: AUDIENCE, clientId: other.clientId });
    expect(claimsOf(await passwordOf(byOption)).oid).toBe('other');
    const byEnvironment = provider(
      { type: 'azure', audience: AUDIENCE },
      { AZURE_CLIENT_ID: other.clientId },
    );
    expect(claimsOf(await passwordOf(byEnvironment)).oid).toBe('other');
  });

  it('comes from the endpoint that an app is given', async () => {
    const { provider, entra } = await createAzureWorld();
    const app = await startAppIdentity(entra, MACHINE);
    onTestFinished(() => app.close());
    const good = provider({ type: 'azure', audience: AUDIENCE }, app.env);
    expect(claimsOf(await passwordOf(good)).oid).toBe(MACHINE.principalId);
    const wrong = provider({ type: 'azure', audience: AUDIENCE }, { ...app.env, IDENTITY_HEADER: 'wrong' });
    expect(await failure(wrong)).toContain('answers 401');
  });

  it('comes for a secret, in the file itself or in a file of its own', async () => {
    const world = await createAzureWorld({ application: { secret: 'canary-secret' } });
    for (const proof of [{ clientSecret: 'canary-secret' }, { clientSecretFile: 'canary-secret\n' }]) {
      expect(claimsOf(await passwordOf(world.provider(principal(world, proof)))).oid).toBe(PRINCIPAL_ID);
    }
    const told = await failure(world.provider(principal(world, { clientSecret: 'canary-other' })));
    expect(told).toContain('AADSTS7000215: the client secret is wrong');
    expect(told).not.toContain('canary');
  });

  it('comes for a certificate', async () => {
    const own = await createRsaCertificate('CN=proxy');
    const other = await createRsaCertificate('CN=other');
    const world = await createAzureWorld({ application: { certificatePem: own.certificatePem } });
    const of = ({ certificatePem, keyPem }: typeof own) => ({
      certificateFile: `${certificatePem}\n${keyPem}`,
    });
    expect(claimsOf(await passwordOf(world.provider(principal(world, of(own))))).oid).toBe(PRINCIPAL_ID);
    expect(await failure(world.provider(principal(world, of(other))))).toContain(
      'does not know the certificate',
    );
    const swapped = { certificateFile: `${own.certificatePem}\n${other.keyPem}` };
    expect(() => world.provider(principal(world, swapped))).toThrow(CredentialOptionsError);
  });

  it('comes for the token of another issuer, as the file holds it at that time', async () => {
    const key = await createIssuerKey('RS256', 'cluster');
    const issuer = 'https://oidc.example.com';
    const subject = 'system:serviceaccount:registry:proxy';
    const world = await createAzureWorld({
      application: { federation: { issuer, subject, keys: { keys: [key.jwk] } } },
    });
    const folder = await createTemporaryFolder('federated');
    onTestFinished(() => folder.close());
    const path = join(folder.path, 'token');
    const write = async (claims: object) =>
      writeFile(
        path,
        await new SignJWT({ iss: issuer, sub: subject, aud: 'api://AzureADTokenExchange', ...claims })
          .setProtectedHeader({ alg: 'RS256', kid: 'cluster' })
          .setExpirationTime('10m')
          .sign(key.privateKey),
      );
    const env = {
      AZURE_FEDERATED_TOKEN_FILE: path,
      AZURE_TENANT_ID: world.entra.tenantId,
      AZURE_CLIENT_ID: APPLICATION_ID,
      AZURE_AUTHORITY_HOST: `${world.entra.origin}/`,
    };
    const providers = [
      () => world.provider({ type: 'azure', audience: AUDIENCE }, env),
      () => world.provider(principal(world, { federatedTokenFile: path })),
    ];
    for (const make of providers) {
      const provider = make();
      await write({ sub: 'system:serviceaccount:registry:other' });
      expect(await failure(provider)).toContain('no federated credential for the subject');
      world.clock.advance(60_000);
      await write({ aud: 'https://kubernetes.default.svc' });
      expect(await failure(provider)).toContain('api://AzureADTokenExchange');
      world.clock.advance(60_000);
      await write({});
      expect(claimsOf(await passwordOf(provider)).oid).toBe(PRINCIPAL_ID);
    }
  });
});

describe('what went wrong is told', () => {
  it.each([
    ['the secret has ended', { secret: 's', secretEnded: true }, {}, 'make a new one'],
    [
      'no such application',
      { secret: 's' },
      { clientId: 'ffffffff-0000-4000-8000-000000000001' },
      'no application of this clientId',
    ],
    ['no such tenant', { secret: 's' }, { tenantId: 'other.example' }, 'no tenant of this tenantId'],
    ['no such resource', { secret: 's' }, { audience: 'api://unknown' }, 'does not know the resource'],
  ])('%s', async (_, application, change, words) => {
    const world = await createAzureWorld({ application });
    expect(await failure(world.provider(principal(world, { clientSecret: 's', ...change })))).toContain(
      words,
    );
  });

  it('when the tenant of a principal is not named', async () => {
    const world = await createAzureWorld();
    expect(
      await failure(world.provider(principal(world, { tenantId: undefined, clientSecret: 's' }))),
    ).toContain('needs tenantId');
  });

  it('when the clock is off', async () => {
    const own = await createRsaCertificate('CN=proxy');
    const world = await createAzureWorld({
      application: { certificatePem: own.certificatePem },
      skewMs: 3_600_000,
    });
    const proof = { certificateFile: `${own.certificatePem}\n${own.keyPem}` };
    expect(await failure(world.provider(principal(world, proof)))).toContain("this machine's clock is off");
  });

  it('when the machine is not on Azure, or has no identity', async () => {
    const none = await createAzureWorld({ identities: [] });
    expect(await failure(none.provider({ type: 'azure', audience: AUDIENCE }))).toContain(
      'assign a managed identity',
    );
    const { provider, metadata } = await createAzureWorld();
    await metadata.close();
    expect(await failure(provider({ type: 'azure', audience: AUDIENCE }))).toContain('not on Azure');
  });

  it('when the metadata service throttles for long; shortly is got over', async () => {
    const { provider, metadata } = await createAzureWorld();
    metadata.failNext(3, 410);
    expect(await passwordOf(provider({ type: 'azure', audience: AUDIENCE }))).toMatch(/^eyJ/);
    metadata.failNext(4, 429);
    expect(await failure(provider({ type: 'azure', audience: AUDIENCE }))).toContain('answers 429');
  });

  it('when a token file is missing, empty, or no token', async () => {
    const world = await createAzureWorld();
    const folder = await createTemporaryFolder('federated');
    onTestFinished(() => folder.close());
    const path = join(folder.path, 'token');
    const provider = world.provider(principal(world, { federatedTokenFile: path }));
    expect(await failure(provider)).toContain("can't be read");
    for (const content of ['', '\n', 'two words canary', 'x'.repeat(100_000)]) {
      world.clock.advance(60_000);
      await writeFile(path, content);
      const told = await failure(provider);
      expect(told).toContain(path);
      expect(told).not.toContain('canary');
    }
  });
});

describe('acr', () => {
  it("gives the registry's refresh token, as the password of nobody, and replaces it before it ends", async () => {
    const { provider, registry, clock } = await createAzureWorld();
    const { service } = await registry();
    const acr = provider({ type: 'acr', registries: [service.host] });
    const first = await acr.credential({ registry: service.host, signal });
    expect(first?.username).toBe(NOBODY);
    const end = Number(claimsOf(first?.password.reveal() ?? '').exp) * 1000;
    expect(first?.expiresAt).toBe(end);
    clock.advance(end - clock.now() - 60_001);
    expect(await passwordOf(acr, service.host)).toBe(first?.password.reveal());
    clock.advance(1);
    expect(await passwordOf(acr, service.host)).not.toBe(first?.password.reveal());
    expect(acr.type).toBe('acr');
  });

  it.each([-3_600_000, 3_600_000])('is kept as long although our clock is off by %i ms', async (skewMs) => {
    const { provider, registry, clock } = await createAzureWorld({ skewMs });
    const { service } = await registry();
    const acr = provider({ type: 'acr', registries: [service.host] });
    const first = await passwordOf(acr, service.host);
    clock.advance(3 * 3_600_000 - 60_001);
    expect(await passwordOf(acr, service.host)).toBe(first);
    clock.advance(1);
    expect(await passwordOf(acr, service.host)).not.toBe(first);
  });

  it('asks nobody again for a while after a failure, which is told to all', async () => {
    const { provider, metadata, clock } = await createAzureWorld();
    const acr = provider({ type: 'acr' });
    metadata.answerInstead(() => ({ status: 403, body: { error: 'no' } }));
    for (let pull = 0; pull < 20; pull += 1)
      expect(await failure(acr, 'acme.azurecr.io')).toContain('403: no');
    expect(metadata.received).toHaveLength(1);
    clock.advance(1_000);
    await failure(acr, 'acme.azurecr.io');
    expect(metadata.received).toHaveLength(2);
  });

  it('that was turned away is replaced at once', async () => {
    const { provider, registry } = await createAzureWorld();
    const { service } = await registry();
    const acr = provider({ type: 'acr', registries: [service.host] });
    const first = await acr.credential({ registry: service.host, signal });
    acr.discard?.(first ?? { username: '', password: new Secret('x') });
    expect(await passwordOf(acr, service.host)).not.toBe(first?.password.reveal());
  });

  it('says why the registry does not exchange', async () => {
    const { provider, registry } = await createAzureWorld();
    const { service } = await registry();
    const acr = provider({ type: 'acr', registries: [service.host], resource: AUDIENCE });
    const told = await failure(acr, service.host);
    expect(told).toContain('401: UNAUTHORIZED');
    expect(told).toContain('another tenant');
    expect(told).not.toContain('eyJ');
  });

  it.each([
    ['registry.example.com', false],
    ['acme.azurecr.io.evil.example', false],
    ['azurecr.io', false],
    ['evil-azurecr.io', false],
    ['169.254.169.254', false],
    ['a.b.c.azurecr.io', false],
    ['acme.azurecr.io', true],
    ['acme.westeurope.azurecr.io', true],
    ['acme-a1b2.azurecr.us', true],
    ['ACME.azurecr.cn', true],
  ])('asks for a token for %s: %s', async (registry, isAsked) => {
    const { provider, metadata } = await createAzureWorld();
    // There is no such host here: the exchange fails, but only after the token was fetched.
    metadata.answerInstead(() => ({ status: 403, body: { error: 'asked' } }));
    const told = await failure(provider({ type: 'acr' }), registry);
    expect(told.includes('asked')).toBe(isAsked);
    expect(told.includes('list it in registries')).toBe(!isAsked);
    expect(metadata.received).toHaveLength(isAsked ? 1 : 0);
  });

  it.each([
    ['acme.azurecr.io', 'https://containerregistry.azure.net'],
    ['acme.azurecr.us', 'https://management.usgovcloudapi.net'],
    ['acme.azurecr.cn', 'https://management.chinacloudapi.cn'],
  ])('for %s asks for a token for %s', async (registry, resource) => {
    const { provider, metadata } = await createAzureWorld();
    metadata.answerInstead(() => ({ status: 403, body: {} }));
    await failure(provider({ type: 'acr' }), registry);
    expect(metadata.received[0]?.url.searchParams.get('resource')).toBe(resource);
  });
});

describe('options', () => {
  it.each([
    [{ type: 'azure' }],
    [{ type: 'acr', clientSecret: 'a', certificateFile: 'b' }],
    [{ type: 'acr', clientId: 'no uuid' }],
    [{ type: 'acr', tenantId: '../evil' }],
    [{ type: 'acr', authority: 'http://login.example.com' }],
    [{ type: 'acr', audience: 'x' }],
    [{ type: 'azure', audience: 'x', username: 'a:b' }],
  ])('%j are refused', (options) => {
    expect(credentialOptions.safeParse(options).success).toBe(false);
  });
});

it('a certificate is shown by its SHA-256', async () => {
  const own = await createRsaCertificate('CN=proxy');
  const world = await createAzureWorld({ application: { certificatePem: own.certificatePem } });
  await passwordOf(
    world.provider(principal(world, { certificateFile: `${own.certificatePem}\n${own.keyPem}` })),
  );
  const assertion = new URLSearchParams(world.entra.received[0]?.body).get('client_assertion') ?? '';
  const header = JSON.parse(Buffer.from(assertion.split('.')[0] ?? '', 'base64url').toString());
  const der = Buffer.from(own.certificatePem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  expect(header).toEqual({
    alg: 'PS256',
    typ: 'JWT',
    'x5t#S256': createHash('sha256').update(der).digest('base64url'),
  });
});
