import { describe, expect, it } from 'vitest';
import { createPool } from '../../../../../src/credentials/pool.ts';
import type { CredentialProvider } from '../../../../../src/credentials/provider.ts';
import { createFixedProvider } from '../../../../../src/credentials/static.ts';
import { mediaTypes, parseReference, type Reference } from '../../../../../src/oci/index.ts';
import { type ConnectOptions, connect, credentialOf, REPOSITORY, signal } from '../../support/connect.ts';
import { type DockerHub, startDockerHub } from '../../support/docker-hub.ts';
import { SAMPLE_MANIFEST, sha256 } from '../../support/fake-registry.ts';

const OTHER_MANIFEST = SAMPLE_MANIFEST.replace('"layers":[]', '"layers":[],"annotations":{"a":"b"}');
const ACME = { username: 'acme', password: 'canary-acme', limit: 100 };
const TEAM = { username: 'team', password: 'canary-team', limit: 100 };

function reference(text: string): Reference {
  const parsed = parseReference(text);
  if (!parsed) throw new Error(`${text} is no reference`);
  return parsed;
}

const accountProvider = ({
  username,
  password,
}: {
  username: string;
  password: string;
}): CredentialProvider => createFixedProvider('test', credentialOf(username, password));

function connectTo(hub: DockerHub, options: ConnectOptions = {}) {
  hub.registry.addManifest(SAMPLE_MANIFEST, mediaTypes.OCI_MANIFEST, 'latest');
  const connected = connect(hub.registry.origin, { realms: [hub.tokens.origin], ...options });
  const call = { accept: [mediaTypes.OCI_MANIFEST], signal: signal() };
  const { upstream, metrics } = connected;
  return {
    ...connected,
    pull: (text = 'latest') => upstream.manifest(REPOSITORY, reference(text), call),
    head: (text = 'latest') => upstream.manifestHead(REPOSITORY, reference(text), call),
    move: () => hub.registry.addManifest(OTHER_MANIFEST, mediaTypes.OCI_MANIFEST, 'latest'),
    gauges: async () => {
      const values = async (gauge: typeof metrics.upstreamRateLimit) =>
        (await gauge.get()).values.map(
          ({ labels, value }) => `${labels.upstream} ${labels.credential} ${value}`,
        );
      return {
        limit: await values(metrics.upstreamRateLimit),
        remaining: await values(metrics.upstreamRateLimitRemaining),
      };
    },
  };
}

describe('a registry that counts pulls', () => {
  it('is seen in the metrics by upstream and place of the credential, and by no name', async () => {
    const hub = await startDockerHub(ACME);
    const { pull, gauges, metrics, upstream, logText } = connectTo(hub, { provider: accountProvider(ACME) });
    await pull();
    expect(await gauges()).toEqual({ limit: ['test 0 100'], remaining: ['test 0 99'] });
    expect((await metrics.registry.metrics()) + logText()).not.toMatch(/acme|canary/);
    await upstream.close();
    expect(await gauges()).toEqual({ limit: [], remaining: [] });
  });

  it('is asked by HEAD whether a tag still is what it was, and that costs nothing', async () => {
    const hub = await startDockerHub(ACME);
    const { pull, move } = connectTo(hub, { provider: accountProvider(ACME) });
    const first = await pull();
    for (let index = 0; index < 5; index += 1) expect(await pull()).toEqual(first);
    expect(hub.takeManifestRequests()).toEqual(['GET acme', ...Array(5).fill('HEAD acme')]);
    expect(hub.accounts.get('acme')?.used).toBe(1);
    move();
    expect((await pull()).digest).toBe(sha256(OTHER_MANIFEST));
    expect(hub.takeManifestRequests()).toEqual(['HEAD acme', 'GET acme']);
  });

  it('is not asked by GET for a digest that its tag has brought', async () => {
    const hub = await startDockerHub(ACME);
    const { pull } = connectTo(hub, { provider: accountProvider(ACME) });
    const { digest, content } = await pull();
    expect((await pull(digest)).content).toEqual(content);
    expect(hub.takeManifestRequests()).toEqual(['GET acme', 'HEAD acme']);
  });

  it('is asked anew for a tag that is gone', async () => {
    const hub = await startDockerHub(ACME);
    const { pull } = connectTo(hub, { provider: accountProvider(ACME) });
    await pull();
    hub.registry.next(1, '/manifests/', (_request, response) => response.writeHead(404).end());
    await expect(pull()).rejects.toMatchObject({ kind: 'not-found' });
    await pull();
    expect(hub.takeManifestRequests()).toEqual(['GET acme', 'HEAD acme', 'GET acme']);
  });

  it('with another Accept is another question', async () => {
    const hub = await startDockerHub(ACME);
    const { upstream, pull } = connectTo(hub, { provider: accountProvider(ACME) });
    await pull();
    await upstream.manifest(REPOSITORY, reference('latest'), {
      accept: [mediaTypes.OCI_INDEX],
      signal: signal(),
    });
    expect(hub.takeManifestRequests()).toEqual(['GET acme', 'GET acme']);
  });
});

it('a registry that does not count is asked by GET each time, and nothing of it is kept', async () => {
  const hub = await startDockerHub();
  hub.registry.login = { type: 'none' };
  const { pull } = connectTo(hub);
  await pull();
  await pull();
  expect(hub.registry.requests.map(({ method }) => method)).toEqual(['GET', 'GET']);
});

describe('with less left than the floor', () => {
  const LOW = { ...ACME, limit: 10 };

  it('a tag that has moved is answered from what was last known, and marked with its age', async () => {
    const hub = await startDockerHub(LOW);
    const { pull, head, move, clock, logText, recoveries } = connectTo(hub, {
      provider: accountProvider(LOW),
      rateLimit: { floor: 10 },
    });
    const first = await pull();
    expect(first.ageSeconds).toBeUndefined();
    move();
    clock.advance(90_000);
    expect(await pull()).toEqual({ ...first, ageSeconds: 90 });
    expect(await head()).toMatchObject({ digest: first.digest, ageSeconds: 90 });
    expect(hub.accounts.get('acme')?.used).toBe(1);
    expect(await recoveries('last-known')).toBe(2);
    expect(logText().match(/the rate limit is nearly used up/g)).toHaveLength(1);
  });

  it('a tag that has not moved is not marked: HEAD has shown that', async () => {
    const hub = await startDockerHub(LOW);
    const { pull, clock } = connectTo(hub, { provider: accountProvider(LOW) });
    await pull();
    clock.advance(90_000);
    expect((await pull()).ageSeconds).toBeUndefined();
  });

  it('what was never seen is still pulled while something is left', async () => {
    const hub = await startDockerHub(LOW);
    const { pull } = connectTo(hub, { provider: accountProvider(LOW) });
    await pull();
    const digest = hub.registry.addManifest(OTHER_MANIFEST, mediaTypes.OCI_MANIFEST, 'v2');
    expect((await pull('v2')).digest).toBe(digest);
  });

  it('of 0 nothing is answered from memory', async () => {
    const hub = await startDockerHub({ ...ACME, limit: 1 });
    const { pull, move } = connectTo(hub, { provider: accountProvider(ACME), rateLimit: { floor: 0 } });
    await pull();
    move();
    await expect(pull()).rejects.toMatchObject({ kind: 'rate-limited', retryAfter: '60' });
    await expect(pull()).rejects.toMatchObject({ kind: 'rate-limited' });
  });

  it('what was last known is forgotten after a day', async () => {
    const hub = await startDockerHub({ ...ACME, limit: 1 });
    const { pull, move, clock } = connectTo(hub, { provider: accountProvider(ACME) });
    await pull();
    move();
    clock.advance(24 * 60 * 60_000 + 1);
    await expect(pull()).rejects.toMatchObject({ kind: 'rate-limited' });
  });
});

describe('a 429 with Retry-After', () => {
  const SPENT = { ...ACME, limit: 0 };

  it('is taken at its word: nothing is sent until then, and clients hear how long that is', async () => {
    const hub = await startDockerHub(SPENT);
    const { pull, clock } = connectTo(hub, { provider: accountProvider(SPENT) });
    await expect(pull()).rejects.toMatchObject({ kind: 'rate-limited', retryAfter: '60' });
    const before = hub.registry.requests.length + hub.tokens.requests.length;
    clock.advance(20_000);
    for (let index = 0; index < 10; index += 1) {
      await expect(pull()).rejects.toMatchObject({ kind: 'rate-limited', retryAfter: '40' });
    }
    expect(hub.registry.requests.length + hub.tokens.requests.length).toBe(before);
    const account = hub.accounts.get('acme');
    if (account) account.limit = 100;
    clock.advance(40_000);
    await expect(pull()).resolves.toMatchObject({ digest: sha256(SAMPLE_MANIFEST) });
  });

  it('leaves a tag that is known answered from what was last known', async () => {
    const hub = await startDockerHub({ ...ACME, limit: 1 });
    const { pull, clock } = connectTo(hub, { provider: accountProvider(ACME) });
    const known = await pull();
    await expect(pull('v2')).rejects.toMatchObject({ kind: 'rate-limited' });
    hub.takeManifestRequests();
    clock.advance(5_000);
    expect(await pull()).toEqual({ ...known, ageSeconds: 5 });
    expect(hub.takeManifestRequests()).toEqual([]);
  });

  it('of the token server counts too', async () => {
    const hub = await startDockerHub(ACME);
    const { pull } = connectTo(hub, { provider: accountProvider(ACME) });
    hub.registry.next(1, '/manifests/', (_request, response) => {
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${hub.registry.origin}/token"` }).end();
    });
    hub.registry.next(9, '/token', (_request, response) => {
      response.writeHead(429, { 'retry-after': '30' }).end();
    });
    await expect(pull()).rejects.toMatchObject({ kind: 'rate-limited', retryAfter: '30' });
    const before = hub.registry.requests.length;
    await expect(pull()).rejects.toMatchObject({ kind: 'rate-limited' });
    expect(hub.registry.requests).toHaveLength(before);
  });
});

describe('a pool', () => {
  const pool = (...members: CredentialProvider[]) => ({ provider: createPool(members) });

  it('takes the credential with most left, once that is known', async () => {
    const hub = await startDockerHub({ ...ACME, limit: 50 }, { ...TEAM, limit: 80 });
    const { pull, gauges } = connectTo(hub, pool(accountProvider(ACME), accountProvider(TEAM)));
    for (const tag of ['a', 'b', 'c']) {
      hub.registry.addManifest(SAMPLE_MANIFEST, mediaTypes.OCI_MANIFEST, tag);
      await pull(tag);
    }
    // The first by the order of the configuration, the second because nothing is known of it, then by what is left.
    expect(hub.takeManifestRequests()).toEqual(['GET acme', 'GET team', 'GET team']);
    expect((await gauges()).remaining).toEqual(['test 0 49', 'test 1 78']);
  });

  it('goes on with the others when one is used up', async () => {
    const hub = await startDockerHub({ ...ACME, limit: 0 }, TEAM);
    const { pull } = connectTo(hub, pool(accountProvider(ACME), accountProvider(TEAM)));
    await pull();
    await pull();
    expect(hub.takeManifestRequests()).toEqual(['GET acme', 'GET team', 'HEAD team']);
  });

  it('passes over for a minute one that is used up and does not say for how long', async () => {
    const hub = await startDockerHub({ ...ACME, limit: 0 }, TEAM);
    hub.retryAfter = undefined;
    const { pull, clock } = connectTo(hub, pool(accountProvider(ACME), accountProvider(TEAM)));
    for (let index = 0; index < 3; index += 1) await pull();
    expect(hub.takeManifestRequests()).toEqual(['GET acme', 'GET team', 'HEAD team', 'HEAD team']);
    clock.advance(60_000);
    await pull();
    expect(hub.takeManifestRequests()).toEqual(['HEAD team']);
  });

  it('asks to wait only when all are used up, and no longer than the first of them', async () => {
    const hub = await startDockerHub({ ...ACME, limit: 0 }, { ...TEAM, limit: 0 });
    const { pull, clock } = connectTo(hub, pool(accountProvider(ACME), accountProvider(TEAM)));
    await expect(pull()).rejects.toMatchObject({ kind: 'rate-limited' });
    clock.advance(10_000);
    await expect(pull()).rejects.toMatchObject({ kind: 'rate-limited', retryAfter: '50' });
    expect(hub.takeManifestRequests()).toEqual(['GET acme', 'GET team']);
  });

  it('lets one that is refused rest, and the others serve', async () => {
    const hub = await startDockerHub(ACME, TEAM);
    const wrong = accountProvider({ username: 'acme', password: 'canary-wrong' });
    const { pull, logText } = connectTo(hub, pool(wrong, accountProvider(TEAM)));
    for (let index = 0; index < 5; index += 1) await pull();
    const attempts = hub.tokens.requests.filter(({ headers }) =>
      Buffer.from(headers.authorization?.slice(6) ?? '', 'base64')
        .toString()
        .startsWith('acme:'),
    );
    expect(attempts).toHaveLength(1);
    expect(
      JSON.parse(
        logText()
          .split('\n')
          .find((line) => line.includes('"warn"')) ?? '',
      ),
    ).toMatchObject({
      credential: 0,
      upstream: 'test',
    });
    expect(logText()).not.toContain('canary');
  });

  it('goes on with the others when one can not be had', async () => {
    const hub = await startDockerHub(ACME, TEAM);
    let asked = 0;
    const broken: CredentialProvider = {
      type: 'broken',
      credential: async () => {
        asked += 1;
        throw new Error('vault is down');
      },
      close: async () => {},
    };
    const { pull } = connectTo(hub, pool(broken, accountProvider(TEAM)));
    for (let index = 0; index < 5; index += 1) await pull();
    expect(asked).toBe(1);
  });

  it('asks another one where the first may not read, and begins with that one from then on', async () => {
    const hub = await startDockerHub(ACME, TEAM);
    const { pull, clock, upstream } = connectTo(hub, pool(accountProvider(ACME), accountProvider(TEAM)));
    const acme = hub.accounts.get('acme');
    if (acme) acme.forbidden = true;
    await pull();
    expect(hub.takeManifestRequests()).toEqual(['GET acme', 'GET team']);
    await pull();
    expect(hub.takeManifestRequests()).toEqual(['HEAD team']);
    // Rights change, so it is asked again in a while.
    if (acme) acme.forbidden = false;
    clock.advance(5 * 60_000);
    await upstream.manifest(REPOSITORY, reference('latest'), { accept: [], signal: signal() });
    expect(hub.takeManifestRequests()).toEqual(['GET acme']);
  });

  it('of nobody and an account takes both', async () => {
    const hub = await startDockerHub(ACME);
    const nobody = { type: 'anonymous', credential: async () => undefined, close: async () => {} };
    const { pull } = connectTo(hub, pool(nobody, accountProvider(ACME)));
    hub.registry.addManifest(SAMPLE_MANIFEST, mediaTypes.OCI_MANIFEST, 'b');
    await pull();
    await pull('b');
    expect(hub.takeManifestRequests()).toEqual(['GET anonymous', 'GET acme']);
  });
});
