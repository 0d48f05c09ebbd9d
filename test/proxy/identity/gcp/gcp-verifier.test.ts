import { describe, expect, it, onTestFinished } from 'vitest';
import type { z } from 'zod';
import { Secret } from '../../../../src/core/index.ts';
import { createGcpVerifier, gcpVerifierOptions } from '../../../../src/proxy/identity/gcp/index.ts';
import type { Outcome } from '../../../../src/proxy/identity/index.ts';
import { INSTANCE, MACHINE_ACCOUNT } from '../../../credentials/gcp/support.ts';
import { createGoogleIdentity, type GoogleIdentity } from '../../../servers/google/index.ts';
import { startFake } from '../support/http-fake.ts';
import { createIssuerKey } from '../support/issuer.ts';
import { createStillClock } from '../support/still-clock.ts';
import { describeVerifier } from '../verifier-suite.ts';

const AUDIENCE = 'docker.example.com';
const NAME = 'acme-images/europe-west1-b/node-1';

type Input = Partial<z.input<typeof gcpVerifierOptions>>;

async function createWorld() {
  const clock = createStillClock();
  const google = await createGoogleIdentity(() => clock.now());
  const instanceToken = (claims: object = {}, header: object = {}) =>
    google.sign({ ...google.claimsFor(MACHINE_ACCOUNT, AUDIENCE, INSTANCE), ...claims }, { ...header });
  const accountToken = (claims: object = {}) =>
    google.sign({ ...google.claimsFor(MACHINE_ACCOUNT, AUDIENCE), ...claims });
  const verifierOf = (input: Input = {}) => {
    const options = gcpVerifierOptions.parse({
      type: 'gcp',
      name: 'google',
      audience: AUDIENCE,
      projects: ['acme-images'],
      jwksFile: 'keys.json',
      ...input,
    });
    options.jwksFile?.resolve('/etc/keys.json', Buffer.from(google.keySet));
    const verifier = createGcpVerifier(options, { clock, log: { warn: () => undefined } });
    onTestFinished(() => verifier.close());
    return verifier;
  };
  const verify = (token: string, input: Input = {}): Promise<Outcome> =>
    verifierOf(input).verify({ username: '_gcp', password: new Secret(token) }, new AbortController().signal);
  return { clock, google, instanceToken, accountToken, verifierOf, verify, seconds: clock.now() / 1000 };
}
type World = Awaited<ReturnType<typeof createWorld>>;

describeVerifier('gcp', async () => {
  const world = await createWorld();
  return {
    verifier: world.verifierOf(),
    username: '_gcp',
    password: await world.instanceToken(),
    identityName: NAME,
    unknownUsername: undefined,
  };
});

describe('a token of an instance', () => {
  it('names it, its project, zone and account', async () => {
    const { verify, instanceToken } = await createWorld();
    expect(await verify(await instanceToken())).toEqual({
      type: 'identity',
      identity: {
        verifier: 'google',
        name: NAME,
        groups: [],
        claims: {
          projectId: 'acme-images',
          projectNumber: '123456789012',
          zone: 'europe-west1-b',
          instanceId: '4567890123456789012',
          instanceName: 'node-1',
          serviceAccount: MACHINE_ACCOUNT.email,
        },
      },
    });
  });

  const cases: readonly [Input, string][] = [
    [{ projects: [] }, 'refused'],
    [{ projects: ['acme-other'] }, 'refused'],
    [{ projects: ['acme-other', 'acme-images'] }, 'identity'],
    [{ zones: ['europe-west1-b'] }, 'identity'],
    [{ zones: ['europe-west1-c'] }, 'refused'],
    [{ zones: [] }, 'refused'],
    [{ serviceAccounts: [MACHINE_ACCOUNT.email] }, 'identity'],
    [{ serviceAccounts: ['other@acme-images.iam.gserviceaccount.com'] }, 'refused'],
    [{ serviceAccounts: [] }, 'refused'],
    [{ audience: ['other', AUDIENCE] }, 'identity'],
    [{ audience: 'other' }, 'refused'],
  ];
  it.each(cases)('with %j: %s', async (input, type) => {
    const { verify, instanceToken } = await createWorld();
    expect(await verify(await instanceToken(), input)).toMatchObject({ type });
  });

  it('whose account is of another project is of the project of the instance', async () => {
    const { verify, instanceToken } = await createWorld();
    const token = await instanceToken({ email: '1-compute@developer.gserviceaccount.com' });
    expect(await verify(token)).toMatchObject({
      type: 'identity',
      identity: { claims: { projectId: 'acme-images' } },
    });
  });
});

describe('a token of a service account alone', () => {
  it('is let in where the account is listed, and its project too', async () => {
    const { verify, accountToken } = await createWorld();
    const serviceAccounts = [MACHINE_ACCOUNT.email];
    expect(await verify(await accountToken(), { serviceAccounts })).toMatchObject({
      type: 'identity',
      identity: {
        name: MACHINE_ACCOUNT.email,
        claims: { projectId: 'acme-images', serviceAccount: MACHINE_ACCOUNT.email },
      },
    });
    expect(await verify(await accountToken(), { serviceAccounts, projects: ['acme-other'] })).toMatchObject({
      type: 'refused',
    });
    expect(await verify(await accountToken(), { serviceAccounts, zones: ['europe-west1-b'] })).toMatchObject({
      type: 'refused',
    });
  });

  it('is not let in by its project alone', async () => {
    const { verify, accountToken } = await createWorld();
    expect(await verify(await accountToken())).toMatchObject({
      type: 'refused',
      reason: expect.stringContaining('google.compute_engine'),
    });
  });

  it.each([
    ['an address that is not verified', { email_verified: false }],
    ['an address that says so in text', { email_verified: 'true' }],
    ['no address', { email: undefined }],
    ['an address that only ends alike', { email: 'reader@acme-images.iam.gserviceaccount.com.evil.example' }],
    ['an address of a person', { email: 'reader@example.com' }],
  ])('with %s is refused', async (_, claims) => {
    const { verify, accountToken } = await createWorld();
    const serviceAccounts = [MACHINE_ACCOUNT.email, 'reader@example.com'];
    expect(await verify(await accountToken(claims), { serviceAccounts })).toMatchObject({ type: 'refused' });
  });

  it('of a project in a domain is of that project', async () => {
    const { verify, accountToken } = await createWorld();
    const email = 'a@acme-images.example.com.iam.gserviceaccount.com';
    const token = await accountToken({ email });
    const projects = ['example.com:acme-images'];
    expect(await verify(token, { serviceAccounts: [email], projects })).toMatchObject({ type: 'identity' });
    expect(await verify(token, { serviceAccounts: [email] })).toMatchObject({ type: 'refused' });
  });
});

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const FORGERIES: readonly [string, (world: World) => Promise<string>][] = [
  ['the issuer without https', ({ instanceToken }) => instanceToken({ iss: 'accounts.google.com' })],
  ['an issuer with a slash', ({ instanceToken }) => instanceToken({ iss: 'https://accounts.google.com/' })],
  ['another issuer', ({ instanceToken }) => instanceToken({ iss: 'https://evil.example' })],
  ['another audience', ({ instanceToken }) => instanceToken({ aud: `${AUDIENCE}.evil.example` })],
  ['no audience', ({ instanceToken }) => instanceToken({ aud: undefined })],
  [
    'another project',
    ({ instanceToken }) =>
      instanceToken({ google: { compute_engine: { ...INSTANCE, project_id: 'acme-images2' } } }),
  ],
  [
    'a list of projects',
    ({ instanceToken }) =>
      instanceToken({ google: { compute_engine: { ...INSTANCE, project_id: ['acme-images'] } } }),
  ],
  [
    'half an instance',
    ({ instanceToken }) => instanceToken({ google: { compute_engine: { project_id: 'acme-images' } } }),
  ],
  ['google without an instance', ({ instanceToken }) => instanceToken({ google: {} })],
  ['google as text', ({ instanceToken }) => instanceToken({ google: 'compute_engine' })],
  ['an end that has passed', ({ instanceToken, seconds }) => instanceToken({ exp: seconds - 61 })],
  ['no end', ({ instanceToken }) => instanceToken({ exp: undefined })],
  ['a start to come', ({ instanceToken, seconds }) => instanceToken({ iat: seconds + 61 })],
  ['a key id that is unknown', ({ instanceToken }) => instanceToken({}, { kid: 'other' })],
  [
    'a key of its own in the header',
    ({ instanceToken }) => instanceToken({}, { kid: 'other', jwk: { kty: 'RSA' } }),
  ],
  [
    'no signature',
    async ({ google }) =>
      `${encode({ alg: 'none', kid: 'google-1' })}.${encode(google.claimsFor(MACHINE_ACCOUNT, AUDIENCE, INSTANCE))}.AAAA`,
  ],
  [
    'a signature by a key of its own',
    async ({ google }) => {
      const stranger = await createIssuerKey('RS256', 'google-1');
      const { SignJWT } = await import('jose');
      return new SignJWT(google.claimsFor(MACHINE_ACCOUNT, AUDIENCE, INSTANCE))
        .setProtectedHeader({ alg: 'RS256', kid: 'google-1' })
        .sign(stranger.privateKey);
    },
  ],
  [
    'our key set as a shared secret',
    async ({ google }) => {
      const { SignJWT } = await import('jose');
      return new SignJWT(google.claimsFor(MACHINE_ACCOUNT, AUDIENCE, INSTANCE))
        .setProtectedHeader({ alg: 'HS256', kid: 'google-1' })
        .sign(Buffer.from(google.keySet));
    },
  ],
];

describe('a forged token', () => {
  it.each(FORGERIES)('with %s is refused', async (_, forge) => {
    const world = await createWorld();
    expect(await world.verify(await forge(world))).toMatchObject({ type: 'refused' });
    expect(await world.verify(await world.instanceToken())).toMatchObject({ type: 'identity' });
  });
});

it("fetches Google's keys where the options say, and only for tokens of Google", async () => {
  const world = await createWorld();
  const google: GoogleIdentity = world.google;
  const keys = await startFake(({ path }) => ({
    status: path === '/oauth2/v3/certs' ? 200 : 404,
    body: google.keySet,
  }));
  const input = { jwksFile: undefined, jwksUrl: `${keys.url}/oauth2/v3/certs` };
  const verifier = world.verifierOf(input);
  const verify = (token: string) =>
    verifier.verify({ username: '_gcp', password: new Secret(token) }, new AbortController().signal);
  expect(await verify(await world.instanceToken({ iss: 'https://evil.example' }))).toMatchObject({
    type: 'refused',
  });
  expect(keys.received).toHaveLength(0);
  for (let login = 0; login < 3; login += 1) {
    expect(await verify(await world.instanceToken())).toMatchObject({ type: 'identity' });
  }
  expect(keys.received).toHaveLength(1);
});

describe('options', () => {
  const good = { type: 'gcp', name: 'google', audience: 'a', projects: [] };
  it.each([
    [{ projects: undefined }],
    [{ projects: ['*'] }],
    [{ audience: undefined }],
    [{ jwksUrl: 'http://keys.example.com' }],
    [{ issuer: 'https://evil.example' }],
    [{ algorithms: ['HS256'] }],
  ])('%j are refused', (change) => {
    expect(gcpVerifierOptions.safeParse(good).success).toBe(true);
    expect(gcpVerifierOptions.safeParse({ ...good, ...change }).success).toBe(false);
  });
});
