import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createCredentialProvider, credentialOptions } from '../../../../src/credentials/index.ts';
import { type Digest, parseDigest, parseReference } from '../../../../src/oci/index.ts';
import { createLogger } from '../../../../src/telemetry/index.ts';
import { surroundings } from '../../../credentials/aws/support.ts';
import {
  createAccounts,
  type EcrApi,
  type EcrRegistry,
  startEcrApi,
  startEcrRegistry,
} from '../../../servers/aws/index.ts';
import { type PushedImage, pushImage } from '../../../support/images.ts';
import { type ConnectOptions, connect, REPOSITORY, readAll, signal } from '../support/connect.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { startServer } from '../support/server.ts';

const HOUR_MS = 3_600_000;
const ACCOUNT = '111122223333';

describe('pulls from Amazon ECR', () => {
  let skewMs = 0;
  const accounts = createAccounts({ now: () => Date.now() + skewMs });
  const keys = accounts.createUser(ACCOUNT, 'puller', ['ecr:GetAuthorizationToken']);
  let api: EcrApi;
  let registry: EcrRegistry;
  let image: PushedImage;

  beforeAll(async () => {
    api = await startEcrApi(accounts);
    registry = await startEcrRegistry(api, accounts);
    image = await pushImage(registry.open, 'team/app', 'latest');
  });
  afterAll(async () => {
    await registry.close();
    await api.close();
  });

  async function setUp(options: ConnectOptions = {}) {
    skewMs = 0;
    registry.beforeEach(undefined);
    await surroundings({ keys });
    const clock = createFakeClock(Date.now());
    const parsed = credentialOptions.parse({ type: 'ecr', region: 'eu-west-1', endpoint: api.url });
    const provider = createCredentialProvider(parsed, { clock, log: createLogger('silent') });
    onTestFinished(() => provider.close());
    const connected = connect(registry.url, { provider, ...options });
    const manifest = async () => {
      const latest = parseReference('latest');
      if (!latest) throw new Error('no reference');
      return (await connected.upstream.manifest(REPOSITORY, latest, { accept: [], signal: signal() })).digest;
    };
    const blob = async () => {
      const answer = await connected.upstream.blob(REPOSITORY, layerOf(image), {
        delivery: 'stream',
        signal: signal(),
      });
      if (answer.type !== 'content') throw new Error('no content');
      return (await readAll(answer.body)).length;
    };
    return { ...connected, provider, manifest, blob, from: registry.logins.length };
  }

  it('go on when the password ends in the middle, because our clock is an hour slow', async () => {
    const { manifest, blob, clock, from } = await setUp();
    expect(await manifest()).toBe(image.digest);
    // By our clock there is an hour left.
    clock.advance(11 * HOUR_MS);
    skewMs = 12 * HOUR_MS;
    expect(await blob()).toBeGreaterThan(0);
    expect(registry.logins.slice(from).map(({ status }) => status)).toEqual([200, 403, 200]);
  });

  it('go on when the password is revoked, with one new one for many', async () => {
    const { manifest, blob } = await setUp();
    await manifest();
    const before = api.requests.length;
    api.revokeAll();
    await Promise.all(Array.from({ length: 20 }, blob));
    expect(api.requests.length - before).toBe(1);
  });

  it('do not ask for passwords without end when none is accepted', async () => {
    const { manifest } = await setUp();
    registry.beforeEach(() => api.revokeAll());
    const before = api.requests.length;
    for (let index = 0; index < 20; index += 1) {
      await expect(manifest()).rejects.toMatchObject({ kind: 'refused' });
    }
    expect(api.requests.length - before).toBeLessThanOrEqual(2);
  });

  it('show the password to no token server that the registry names', async () => {
    const elsewhere = await startServer((_request, response) => void response.end('{"token":"x"}'));
    const fake = await startFakeRegistry();
    const { provider } = await setUp();
    const { upstream } = connect(fake.origin, { provider });
    const realms = [
      `${elsewhere.origin}/token`,
      'https://api.ecr.eu-west-1.amazonaws.com.example.com/',
      'https://169.254.169.254/',
    ];
    for (const realm of realms) {
      fake.login = { type: 'bearer', realm, accepts: () => true };
      await expect(
        upstream.tags(REPOSITORY, { query: new URLSearchParams(), signal: signal() }),
      ).rejects.toMatchObject({
        kind: 'unsafe',
      });
    }
    expect(elsewhere.requests).toHaveLength(0);
    expect(fake.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  it('leave the password behind when a redirect leads elsewhere', async () => {
    const storage = await startServer((_request, response) => void response.end('blob'));
    const fake = await startFakeRegistry();
    const digest = fake.addBlob(Buffer.from('blob'));
    const { provider } = await setUp();
    fake.script(({ headers: { authorization } }, response) => {
      if (authorization === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x",service="ecr.amazonaws.com"' }).end();
      } else response.writeHead(307, { location: `${storage.origin}/layer` }).end();
      return true;
    });
    const { upstream } = connect(fake.origin, { provider, redirects: [storage.origin] });
    const answer = await upstream.blob(REPOSITORY, digest, { delivery: 'stream', signal: signal() });
    if (answer.type !== 'content') throw new Error('no content');
    expect((await readAll(answer.body)).toString()).toBe('blob');
    expect(storage.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    const { upstream: strict } = connect(fake.origin, { provider });
    await expect(
      strict.blob(REPOSITORY, digest, { delivery: 'stream', signal: signal() }),
    ).rejects.toMatchObject({
      kind: 'unsafe',
    });
    expect(storage.requests).toHaveLength(1);
  });

  it('say that the credential can not be had while AWS throttles', async () => {
    const { manifest } = await setUp();
    const body = JSON.stringify({ __type: 'ThrottlingException' });
    api.answerInstead({ status: 400, headers: { 'content-type': 'application/x-amz-json-1.1' }, body });
    await expect(manifest()).rejects.toMatchObject({ kind: 'unreachable' });
    api.answerInstead(undefined);
  });
});

function layerOf({ manifests }: PushedImage): Digest {
  const digest = parseDigest(manifests[0]?.layers[0] ?? '');
  if (!digest) throw new Error('no layer');
  return digest;
}
