import { describe, expect, it, onTestFinished } from 'vitest';
import type { z } from 'zod';
import { Secret } from '../../../../src/core/index.ts';
import {
  azureVerifierOptions,
  createAzureVerifier,
  issuersOf,
} from '../../../../src/proxy/identity/azure/index.ts';
import type { Outcome } from '../../../../src/proxy/identity/index.ts';
import { MACHINE } from '../../../credentials/azure/support.ts';
import { startEntra, TENANT } from '../../../servers/azure/index.ts';
import { createIssuerKey } from '../support/issuer.ts';
import { createStillClock } from '../support/still-clock.ts';
import { describeVerifier } from '../verifier-suite.ts';

const AUDIENCE = 'api://docker.example.com';
const SUBSCRIPTION = 'cccccccc-0000-4000-8000-000000000001';
const OTHER = 'ffffffff-0000-4000-8000-000000000001';
const RESOURCE = MACHINE.resourceId.toLowerCase();

type Input = Partial<z.input<typeof azureVerifierOptions>>;

async function createWorld(version: 1 | 2 = 1) {
  const clock = createStillClock();
  const entra = await startEntra({ now: () => clock.now(), resources: [AUDIENCE], version });
  onTestFinished(() => entra.close());
  const token = (claims: object = {}, header: object = {}) =>
    entra.sign({ ...entra.claimsFor(MACHINE, AUDIENCE), ...claims }, { ...header });
  const verifierOf = (input: Input = {}) => {
    const options = azureVerifierOptions.parse({
      type: 'azure',
      name: 'azure',
      audience: AUDIENCE,
      tenants: [TENANT],
      subscriptions: [SUBSCRIPTION],
      authority: entra.origin,
      ...input,
    });
    const verifier = createAzureVerifier(options, { clock, log: { warn: () => undefined } });
    onTestFinished(() => verifier.close());
    return verifier;
  };
  const verify = (text: string, input: Input = {}): Promise<Outcome> =>
    verifierOf(input).verify(
      { username: '_azure', password: new Secret(text) },
      new AbortController().signal,
    );
  return { clock, entra, token, verifierOf, verify, seconds: clock.now() / 1000 };
}
type World = Awaited<ReturnType<typeof createWorld>>;

describeVerifier('azure', async () => {
  const world = await createWorld();
  return {
    verifier: world.verifierOf(),
    username: '_azure',
    password: await world.token(),
    identityName: RESOURCE,
    unknownUsername: undefined,
  };
});

describe('a token of a managed identity', () => {
  it.each([1, 2] as const)(
    'of version %i names the resource, its group and subscription, tenant and principal',
    async (version) => {
      const { verify, token } = await createWorld(version);
      expect(await verify(await token())).toEqual({
        type: 'identity',
        identity: {
          verifier: 'azure',
          name: RESOURCE,
          groups: [],
          claims: {
            tenantId: TENANT,
            principalId: MACHINE.principalId,
            clientId: MACHINE.clientId,
            resourceId: RESOURCE,
            subscriptionId: SUBSCRIPTION,
            resourceGroup: 'nodes',
          },
        },
      });
    },
  );

  const cases: readonly [Input, string][] = [
    [{ tenants: [] }, 'refused'],
    [{ tenants: [OTHER] }, 'refused'],
    [{ tenants: [OTHER, TENANT] }, 'identity'],
    [{ subscriptions: [] }, 'refused'],
    [{ subscriptions: [OTHER] }, 'refused'],
    [{ subscriptions: [SUBSCRIPTION.toUpperCase()] }, 'identity'],
    [{ subscriptions: undefined, principalIds: [MACHINE.principalId] }, 'identity'],
    [{ principalIds: [OTHER] }, 'refused'],
    [{ principalIds: [] }, 'refused'],
    [{ resources: [`/subscriptions/${SUBSCRIPTION}/resourceGroups/nodes/**`] }, 'identity'],
    [{ resources: [`/subscriptions/${SUBSCRIPTION}/resourceGroups/*`] }, 'refused'],
    [{ resources: [`/subscriptions/${SUBSCRIPTION}/resourceGroups/nodes`] }, 'refused'],
    [{ resources: [] }, 'refused'],
    [{ audience: 'api://other' }, 'refused'],
  ];
  it.each(cases)('with %j: %s', async (input, type) => {
    const { verify, token } = await createWorld();
    expect(await verify(await token(), input)).toMatchObject({ type });
  });
});

describe('a token of a service principal', () => {
  it('is let in by its principal, and by no subscription', async () => {
    const { verify, token } = await createWorld();
    const text = await token({ xms_mirid: undefined });
    expect(
      await verify(text, { subscriptions: undefined, principalIds: [MACHINE.principalId] }),
    ).toMatchObject({
      type: 'identity',
      identity: { name: `principal/${MACHINE.principalId}`, claims: { principalId: MACHINE.principalId } },
    });
    expect(await verify(text)).toMatchObject({ type: 'refused' });
    expect(await verify(text, { subscriptions: undefined, resources: ['/**'] })).toMatchObject({
      type: 'refused',
    });
  });
});

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const FORGERIES: readonly [string, (world: World) => Promise<string>][] = [
  ['the issuer of another tenant', ({ token }) => token({ iss: `https://sts.windows.net/${OTHER}/` })],
  ['an issuer without its slash', ({ token }) => token({ iss: `https://sts.windows.net/${TENANT}` })],
  ['an issuer in the clear', ({ token }) => token({ iss: `http://sts.windows.net/${TENANT}/` })],
  [
    'an issuer that looks alike',
    ({ token }) => token({ iss: `https://sts.windows.net.evil.example/${TENANT}/` }),
  ],
  ['the common issuer', ({ entra, token }) => token({ iss: `${entra.origin}/common/v2.0` })],
  ['another tenant in tid', ({ token }) => token({ tid: OTHER })],
  ['no tid', ({ token }) => token({ tid: undefined })],
  ['the token of a person', ({ token }) => token({ scp: 'user_impersonation' })],
  ['the type of a person', ({ token }) => token({ idtyp: 'user' })],
  ['no principal', ({ token }) => token({ oid: undefined })],
  ['a principal that is none', ({ token }) => token({ oid: 'x' })],
  ['another audience', ({ token }) => token({ aud: 'https://management.azure.com' })],
  ['an audience in other case', ({ token }) => token({ aud: AUDIENCE.toUpperCase() })],
  ['an audience with a slash', ({ token }) => token({ aud: `${AUDIENCE}/` })],
  [
    'another subscription',
    ({ token }) => token({ xms_mirid: MACHINE.resourceId.replace(SUBSCRIPTION, OTHER) }),
  ],
  [
    'a subscription further behind',
    ({ token }) => token({ xms_mirid: `/x/subscriptions/${SUBSCRIPTION}/y` }),
  ],
  [
    'a resource that climbs',
    ({ token }) => token({ xms_mirid: `/subscriptions/${SUBSCRIPTION}/../${OTHER}/x` }),
  ],
  ['a list of resources', ({ token }) => token({ xms_mirid: [MACHINE.resourceId] })],
  ['an end that has passed', ({ token, seconds }) => token({ exp: seconds - 61 })],
  ['no end', ({ token }) => token({ exp: undefined })],
  ['a start to come', ({ token, seconds }) => token({ nbf: seconds + 61 })],
  ['a key id that is unknown', ({ token }) => token({}, { kid: 'other' })],
  ['a certificate of its own', ({ token }) => token({}, { kid: 'other', x5c: ['AAAA'] })],
  [
    'no signature',
    async ({ entra }) =>
      `${encode({ alg: 'none', kid: 'entra-1' })}.${encode(entra.claimsFor(MACHINE, AUDIENCE))}.AAAA`,
  ],
  [
    'a signature by a key of its own',
    async ({ entra }) => {
      const stranger = await createIssuerKey('RS256', 'entra-1');
      const { SignJWT } = await import('jose');
      return new SignJWT(entra.claimsFor(MACHINE, AUDIENCE))
        .setProtectedHeader({ alg: 'RS256', kid: 'entra-1' })
        .sign(stranger.privateKey);
    },
  ],
];

describe('a forged token', () => {
  it.each(FORGERIES)('with %s is refused', async (_, forge) => {
    const world = await createWorld();
    expect(await world.verify(await forge(world))).toMatchObject({ type: 'refused' });
    expect(await world.verify(await world.token())).toMatchObject({ type: 'identity' });
  });
});

it('a token of one of the tenants is for this verifier, and others are not', async () => {
  const { verifierOf, token } = await createWorld();
  const verifier = verifierOf();
  const texts = [await token(), await token({ iss: `https://sts.windows.net/${OTHER}/` }), 'hunter2'];
  expect(texts.map((text) => verifier.issued?.(new Secret(text)))).toEqual([true, false, false]);
});

it('keys are asked for once, and not for tokens of others', async () => {
  const { verifierOf, token, entra } = await createWorld();
  const verifier = verifierOf();
  const verify = (text: string) =>
    verifier.verify({ username: '', password: new Secret(text) }, new AbortController().signal);
  await verify(await token({ iss: 'https://evil.example' }));
  expect(entra.received).toHaveLength(0);
  for (let login = 0; login < 3; login += 1) await verify(await token());
  expect(entra.received.map(({ url }) => url.pathname)).toEqual([`/${TENANT}/discovery/v2.0/keys`]);
});

it.each([
  [
    'https://login.microsoftonline.com',
    'https://sts.windows.net/t/',
    'https://login.microsoftonline.com/t/v2.0',
  ],
  [
    'https://login.microsoftonline.us/',
    'https://sts.windows.net/t/',
    'https://login.microsoftonline.us/t/v2.0',
  ],
  [
    'https://login.chinacloudapi.cn',
    'https://sts.chinacloudapi.cn/t/',
    'https://login.chinacloudapi.cn/t/v2.0',
  ],
])('the issuers at %s', (authority, ...issuers) => {
  expect(issuersOf(authority, 't')).toEqual(issuers);
});

describe('options', () => {
  const good = { type: 'azure', name: 'azure', audience: 'a', tenants: [], subscriptions: [] };
  it.each([
    [{ tenants: undefined }],
    [{ tenants: ['common'] }],
    [{ subscriptions: undefined }],
    [{ audience: undefined }],
    [{ resources: ['subscriptions/**'] }],
    [{ authority: 'http://login.example.com' }],
  ])('%j are refused', (change) => {
    expect(azureVerifierOptions.safeParse(good).success).toBe(true);
    expect(azureVerifierOptions.safeParse({ ...good, ...change }).success).toBe(false);
  });
});
