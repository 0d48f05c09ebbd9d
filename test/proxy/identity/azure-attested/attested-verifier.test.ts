import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { attestationNonce, newMachineNonce } from '../../../../src/machine-identity/index.ts';
import type { HttpClient } from '../../../../src/network/index.ts';
import { azureAttestedVerifierOptions } from '../../../../src/proxy/identity/azure-attested/index.ts';
import { azureRoots } from '../../../../src/proxy/identity/azure-attested/trusted-certificates.ts';
import { INTERMEDIATE_URL, SHA256, timeText } from '../../../servers/azure/index.ts';
import { describeVerifier } from '../verifier-suite.ts';
import { AUDIENCE, createAttestedWorld, MACHINE, SUBSCRIPTION, verifyWith } from './support.ts';

const MINUTE_MS = 60_000;
const OTHER = 'ffffffff-0000-4000-8000-000000000001';
const answering = (answer: () => Promise<{ status: number; body: Buffer }>): HttpClient => ({
  request: async () => ({ headers: {}, ...(await answer()) }),
  close: async () => undefined,
});

describeVerifier('azure-attested', async () => {
  const world = await createAttestedWorld();
  return {
    verifier: world.verifierOf(),
    username: '_azure',
    password: world.proof(await world.document()),
    identityName: `${SUBSCRIPTION}/${MACHINE}`,
    unknownUsername: undefined,
  };
});

describe('a document', () => {
  it('names the machine and its subscription', async () => {
    const world = await createAttestedWorld();
    const outcome = await verifyWith(world.verifierOf(), world.proof(await world.document()));
    expect(outcome).toMatchObject({
      type: 'identity',
      identity: {
        verifier: 'vms',
        name: `${SUBSCRIPTION}/${MACHINE}`,
        groups: [],
        claims: { subscriptionId: SUBSCRIPTION, vmId: MACHINE, sku: '12-gen2' },
      },
      anchor: expect.any(String),
    });
    expect(world.fetched).toEqual([INTERMEDIATE_URL.replace('http:', 'https:')]);
  });

  it('may name its digest by either of the two names', async () => {
    const world = await createAttestedWorld();
    const document = await world.document({}, world.attestation.signer, { digestAlgorithm: SHA256 });
    expect(await verifyWith(world.verifierOf(), world.proof(document))).toMatchObject({ type: 'identity' });
  });

  it('needs nothing from anywhere when the certificates are given', async () => {
    const world = await createAttestedWorld();
    const verifier = world.verifierOf({ intermediatesFile: 'i.pem' });
    expect(await verifyWith(verifier, world.proof(await world.document()))).toMatchObject({
      type: 'identity',
    });
    expect(world.fetched).toEqual([]);
  });

  it('is shown again by its own machine, and by nobody else', async () => {
    const world = await createAttestedWorld();
    const verifier = world.verifierOf();
    const document = await world.document();
    const first = await verifyWith(verifier, world.proof(document));
    expect(await verifyWith(verifier, world.proof(document))).toEqual(first);
    const thief = newMachineNonce(randomBytes);
    expect(await verifyWith(verifier, world.proof(document, thief))).toMatchObject({ type: 'refused' });
  });

  it.each([
    [{ subscriptions: [OTHER] }, 'refused'],
    [{ subscriptions: [] }, 'refused'],
    [{ subscriptions: [SUBSCRIPTION.toUpperCase()] }, 'identity'],
    [{ virtualMachines: [MACHINE] }, 'identity'],
    [{ virtualMachines: [OTHER] }, 'refused'],
    [{ virtualMachines: [] }, 'refused'],
    [{ audience: 'other.example.com' }, 'refused'],
    [{ signers: ['metadata.azure.us'] }, 'refused'],
    [{ signers: ['metadata.azure.us', 'metadata.azure.com'] }, 'identity'],
    [{ signers: ['westeurope.metadata.azure.com'] }, 'identity'],
  ])('with %j: %s', async (input, type) => {
    const world = await createAttestedWorld();
    expect(await verifyWith(world.verifierOf(input), world.proof(await world.document()))).toMatchObject({
      type,
    });
  });

  it.each([
    [-16 * MINUTE_MS, 6 * 60 * MINUTE_MS, 'identity'],
    [-16 * MINUTE_MS - 1000, 6 * 60 * MINUTE_MS, 'refused'],
    [MINUTE_MS, 6 * 60 * MINUTE_MS, 'identity'],
    [MINUTE_MS + 1000, 6 * 60 * MINUTE_MS, 'refused'],
    [-2 * MINUTE_MS, MINUTE_MS, 'identity'],
    [-2 * MINUTE_MS, MINUTE_MS - 1000, 'refused'],
  ])('made %i ms from now, good for %i ms: %s', async (offset, lifetime, type) => {
    const world = await createAttestedWorld();
    const createdAt = world.clock.now() + offset;
    const document = await world.document({ createdAt, expiresAt: createdAt + lifetime });
    expect(await verifyWith(world.verifierOf(), world.proof(document))).toMatchObject({ type });
  });
});

describe('a machine', () => {
  it('is bound to the nonce of its first login', async () => {
    const world = await createAttestedWorld();
    const verifier = world.verifierOf();
    await verifyWith(verifier, world.proof(await world.document()));
    world.clock.advance(MINUTE_MS);
    // Somebody gets a program on it to ask for a document of his own.
    const own = newMachineNonce(randomBytes);
    const document = await world.document({ nonce: attestationNonce(own, AUDIENCE) });
    expect(await verifyWith(verifier, world.proof(document, own))).toMatchObject({
      type: 'refused',
      reason: expect.stringContaining('bound to another nonce'),
    });
    const rebinding = world.verifierOf({ rebind: true });
    expect(await verifyWith(rebinding, world.proof(document, own))).toMatchObject({ type: 'identity' });
  });

  it('whose first logins come at once is bound to exactly one of the nonces', async () => {
    const world = await createAttestedWorld();
    const verifier = world.verifierOf();
    const proofs = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const own = newMachineNonce(randomBytes);
        return world.proof(await world.document({ nonce: attestationNonce(own, AUDIENCE) }), own);
      }),
    );
    const outcomes = await Promise.all(proofs.map((proof) => verifyWith(verifier, proof)));
    expect(outcomes.filter(({ type }) => type === 'identity')).toHaveLength(1);
  });

  it('does not come back with an older document', async () => {
    const world = await createAttestedWorld();
    const verifier = world.verifierOf();
    const older = await world.document();
    world.clock.advance(MINUTE_MS);
    expect(await verifyWith(verifier, world.proof(await world.document()))).toMatchObject({
      type: 'identity',
    });
    expect(await verifyWith(verifier, world.proof(older))).toMatchObject({ type: 'refused' });
  });

  it('is renewed while it is bound and let in', async () => {
    const world = await createAttestedWorld();
    const outcome = await verifyWith(world.verifierOf(), world.proof(await world.document()));
    if (outcome.type !== 'identity') throw new Error(outcome.reason);
    const { signal } = new AbortController();
    world.clock.advance(20 * 24 * 60 * MINUTE_MS);
    const renew = (input: object) =>
      world.verifierOf(input).renew?.(outcome.identity, outcome.anchor, signal);
    expect(await renew({})).toMatchObject({ type: 'identity', identity: outcome.identity });
    expect(await renew({ subscriptions: [OTHER] })).toMatchObject({ type: 'refused' });
    expect(await renew({ virtualMachines: [OTHER] })).toMatchObject({ type: 'refused' });
    world.clock.advance(31 * 24 * 60 * MINUTE_MS);
    expect(await renew({})).toMatchObject({ type: 'refused' });
  });
});

describe('the certificate between', () => {
  it('is fetched once for many, and again after a day', async () => {
    const world = await createAttestedWorld();
    const verifier = world.verifierOf();
    const proof = world.proof(await world.document());
    await Promise.all(Array.from({ length: 10 }, () => verifyWith(verifier, proof)));
    expect(world.fetched).toHaveLength(1);
    world.clock.advance(24 * 60 * MINUTE_MS);
    await verifyWith(verifier, world.proof(await world.document()));
    expect(world.fetched).toHaveLength(2);
  });

  it('leaves it open when it can not be had, and is not asked for again at once', async () => {
    const world = await createAttestedWorld();
    let asked = 0;
    const verifier = world.verifierOf(
      {},
      answering(async () => {
        asked += 1;
        throw new Error('down');
      }),
    );
    const proof = world.proof(await world.document());
    for (let login = 0; login < 5; login += 1) {
      expect(await verifyWith(verifier, proof)).toMatchObject({ type: 'cannot-tell' });
    }
    expect(asked).toBe(1);
    world.clock.advance(MINUTE_MS);
    await verifyWith(verifier, proof);
    expect(asked).toBe(2);
  });

  it.each([
    ['a redirect', 302, Buffer.from('')],
    ['an error', 500, Buffer.from('')],
    ['no certificate', 200, Buffer.from('<html>')],
  ])('leaves it open when there is %s in its place', async (_, status, body) => {
    const world = await createAttestedWorld();
    const verifier = world.verifierOf(
      {},
      answering(async () => ({ status, body })),
    );
    expect(await verifyWith(verifier, world.proof(await world.document()))).toMatchObject({
      type: 'cannot-tell',
    });
  });
});

describe('options', () => {
  const good = { type: 'azure-attested', name: 'vms', audience: 'a', subscriptions: [] };
  it.each([
    [{ subscriptions: undefined }],
    [{ subscriptions: ['x'] }],
    [{ audience: '' }],
    [{ audience: undefined }],
    [{ signers: [] }],
    [{ signers: ['*.azure.com'] }],
    [{ leeway: '6m' }],
  ])('%j are refused', (change) => {
    expect(azureAttestedVerifierOptions.safeParse(good).success).toBe(true);
    expect(azureAttestedVerifierOptions.safeParse({ ...good, ...change }).success).toBe(false);
  });

  it('refuse a file of roots without a certificate', async () => {
    const world = await createAttestedWorld();
    const options = azureAttestedVerifierOptions.parse({ ...good, rootsFile: 'roots.pem' });
    options.rootsFile?.resolve('/etc/roots.pem', Buffer.from('nothing'));
    const { createAzureAttestedVerifier } = await import(
      '../../../../src/proxy/identity/azure-attested/index.ts'
    );
    expect(() => createAzureAttestedVerifier(options, world)).toThrow(
      '/etc/roots.pem holds no PEM certificate',
    );
  });

  it('know the roots of Azure by default', () => {
    const names = azureRoots().map(({ subject }) => /CN=(.*)/.exec(subject)?.[1]);
    expect(names).toContain('DigiCert Global Root G2');
    expect(names).toContain('Microsoft RSA Root Certificate Authority 2017');
  });
});

it('times are written as Azure does', () => {
  expect(timeText(Date.UTC(2018, 10, 28, 0, 16, 17))).toBe('11/28/18 00:16:17 -0000');
});
