import { describe, expect, it } from 'vitest';
import type { Credential } from '../../../../../src/credentials/index.ts';
import { mediaTypes, parseReference } from '../../../../../src/oci/index.ts';
import { CredentialAttempts } from '../../../../../src/proxy/upstream/remote/authorization/credential-attempts.ts';
import { createLogger } from '../../../../../src/telemetry/index.ts';
import { connect, credentialOf, REPOSITORY, repositoryName, signal } from '../../support/connect.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { SAMPLE_MANIFEST, startFakeRegistry } from '../../support/fake-registry.ts';
import { startTokenServer } from '../../support/token-server.ts';

const MINUTE_MS = 60_000;

/** A provider that makes `made-1`, and another one for each that is discarded. */
function makingProvider(canDiscard = true) {
  const discarded: string[] = [];
  let serial = 1;
  let current: Credential = credentialOf('acme', 'made-1');
  return {
    discarded,
    change(password: string) {
      current = credentialOf('acme', password);
    },
    credential: async () => current,
    ...(canDiscard && {
      discard(credential: Credential) {
        discarded.push(credential.password.reveal());
        if (credential !== current) return;
        serial += 1;
        current = credentialOf('acme', `made-${serial}`);
      },
    }),
  };
}

async function setUp(provider: ReturnType<typeof makingProvider>) {
  const fake = await startFakeRegistry();
  fake.addManifest(SAMPLE_MANIFEST, mediaTypes.OCI_MANIFEST, 'latest');
  const accept = (password: string) => {
    fake.login = { type: 'basic', username: 'acme', password };
  };
  accept('made-1');
  const connected = connect(fake.origin, { provider });
  const pull = async () => {
    const latest = parseReference('latest');
    if (!latest) throw new Error('no reference');
    return connected.upstream.manifest(REPOSITORY, latest, { accept: [], signal: signal() });
  };
  const shown = () =>
    fake.requests.flatMap(({ headers: { authorization } }) =>
      authorization === undefined ? [] : [Buffer.from(authorization.slice(6), 'base64').toString().slice(5)],
    );
  return { ...connected, fake, accept, pull, shown };
}

describe('a credential that is turned away', () => {
  it('is replaced once, and the pull goes on', async () => {
    const provider = makingProvider();
    const { pull, accept, shown, recoveries } = await setUp(provider);
    await pull();
    accept('made-2');
    expect((await pull()).content.toString()).toBe(SAMPLE_MANIFEST);
    expect(shown()).toEqual(['made-1', 'made-1', 'made-2']);
    expect(provider.discarded).toEqual(['made-1']);
    expect(await recoveries('reauthenticate')).toBe(1);
  });

  it.each(['proven', 'unproven'])('is replaced once for fifty, %s or not', async (kind) => {
    const provider = makingProvider();
    const { pull, accept, shown } = await setUp(provider);
    if (kind === 'proven') await pull();
    accept('made-2');
    await Promise.all(Array.from({ length: 50 }, () => pull()));
    expect(provider.discarded).toEqual(['made-1']);
    expect(new Set(shown())).toEqual(new Set(['made-1', 'made-2']));
    if (kind === 'unproven') expect(shown().filter((password) => password === 'made-1')).toHaveLength(1);
  });

  it('is not replaced again and again when the new one is no better', async () => {
    const provider = makingProvider();
    const { pull, accept, shown, clock } = await setUp(provider);
    accept('never');
    for (let index = 0; index < 50; index += 1)
      await expect(pull()).rejects.toMatchObject({ kind: 'refused' });
    expect(shown()).toEqual(['made-1', 'made-2']);
    for (let minute = 0; minute < 60; minute += 1) {
      clock.advance(MINUTE_MS);
      await expect(pull()).rejects.toMatchObject({ kind: 'refused' });
    }
    expect(provider.discarded.length).toBeLessThan(12);
    expect(shown().length).toBeLessThan(60);
    accept(`made-${provider.discarded.length + 1}`);
    clock.advance(5 * MINUTE_MS);
    await pull();
  });

  it('is taken anew from a provider that has another one by now', async () => {
    const provider = makingProvider(false);
    const { pull, accept, shown } = await setUp(provider);
    await pull();
    accept('rotated');
    const pulling = pull();
    provider.change('rotated');
    await pulling;
    expect(shown().at(-1)).toBe('rotated');
  });

  it('is refused where the provider can only repeat itself', async () => {
    const { pull, accept, shown } = await setUp(makingProvider(false));
    accept('other');
    for (let index = 0; index < 3; index += 1)
      await expect(pull()).rejects.toMatchObject({ kind: 'refused' });
    expect(shown()).toEqual(['made-1']);
  });

  it('with 403 is replaced when it is old, and not when it is new', async () => {
    const provider = makingProvider();
    const { pull, fake, shown, clock } = await setUp(provider);
    let accepted = 'made-1';
    fake.login = { type: 'none' };
    fake.script(({ headers: { authorization } }, response) => {
      const right = `Basic ${Buffer.from(`acme:${accepted}`).toString('base64')}`;
      if (authorization === right) return false;
      if (authorization === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="registry"' }).end();
        return true;
      }
      response.writeHead(403, { 'content-type': 'application/json' }).end('{"errors":[{"code":"DENIED"}]}');
      return true;
    });
    await pull();
    accepted = 'made-2';
    await expect(pull()).rejects.toMatchObject({ kind: 'refused' });
    expect(provider.discarded).toEqual([]);
    clock.advance(5 * MINUTE_MS);
    await pull();
    expect(shown().at(-1)).toBe('made-2');
    accepted = 'nobody';
    for (let index = 0; index < 20; index += 1)
      await expect(pull()).rejects.toMatchObject({ kind: 'refused' });
    expect(provider.discarded).toEqual(['made-1']);
  });

  it('by a token server is replaced once for many', async () => {
    const provider = makingProvider();
    const { fake, clock, upstream } = await setUp(provider);
    const tokens = await startTokenServer('acme', 'made-2');
    fake.login = { type: 'bearer', realm: tokens.realm, accepts: tokens.accepts };
    const { upstream: other } = connect(fake.origin, { provider, realms: [tokens.origin] });
    const latest = parseReference('latest');
    if (!latest) throw new Error('no reference');
    const pull = () => other.manifest(REPOSITORY, latest, { accept: [], signal: signal() });
    await Promise.all(Array.from({ length: 20 }, pull));
    expect(tokens.requests).toHaveLength(2);
    expect(provider.discarded).toEqual(['made-1']);
    clock.advance(MINUTE_MS);
    await upstream.close();
  });

  it('leaves no answer behind when the provider fails in the middle', async () => {
    const abandoned: string[] = [];
    const clock = createFakeClock();
    let asked = 0;
    const attempts = new CredentialAttempts({
      ask: async () => {
        asked += 1;
        if (asked > 1) throw new Error('the cloud is down');
        return credentialOf('acme', 'made-1');
      },
      provider: {},
      clock,
      log: createLogger('silent'),
      closed: signal(),
      onRenewal: () => {},
    });
    const run = async () => ({ result: 'answer', outcome: 'unauthorized', turnedAway: 'yes' }) as const;
    const made = attempts.make('r', signal(), run, (answer) => void abandoned.push(answer));
    await expect(made).rejects.toThrow('the cloud is down');
    expect(abandoned).toEqual(['answer']);
  });

  it('is not taken for good because the proof meets trouble', async () => {
    const provider = makingProvider();
    const { pull, upstream, accept, fake, shown } = await setUp(provider);
    await pull();
    accept('made-2');
    // The one resource that took the old one can't say whether it still does.
    fake.script(({ method, url }, response) => {
      if (method !== 'HEAD' || !url?.includes('/team/app/')) return false;
      response.writeHead(503).end();
      return true;
    });
    const latest = parseReference('latest');
    if (!latest) throw new Error('no reference');
    const other = upstream.manifest(repositoryName('team/other'), latest, { accept: [], signal: signal() });
    await expect(other).rejects.toMatchObject({ kind: 'not-found' });
    expect(shown().at(-1)).toBe('made-2');
    expect(provider.discarded).toEqual(['made-1']);
  });
});

it('a provider that fails many who wait together has failed once, and is asked again after a second', async () => {
  const MANY = 20;
  let isDown = true;
  let asked = 0;
  let release = () => {};
  const allWait = new Promise<void>((resolve) => {
    release = resolve;
  });
  const provider = {
    ...makingProvider(false),
    credential: async () => {
      asked += 1;
      if (asked === MANY) release();
      await allWait;
      if (isDown) throw new Error('down');
      return credentialOf('acme', 'made-1');
    },
  };
  const { pull, clock } = await setUp(provider);
  const results = await Promise.allSettled(Array.from({ length: MANY }, () => pull()));
  expect(results.every(({ status }) => status === 'rejected')).toBe(true);
  isDown = false;
  clock.advance(1000);
  await pull();
  expect(asked).toBeGreaterThan(MANY);
});
