import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { attestationNonce, formatProof, newMachineNonce } from '../../../../src/machine-identity/index.ts';
import { timeOf } from '../../../../src/proxy/identity/azure-attested/attested-facts.ts';
import { issuerUrl } from '../../../../src/proxy/identity/azure-attested/intermediates.ts';
import { type Attestation, makeSelfSigned, type Signer, timeText } from '../../../servers/azure/index.ts';
import {
  type AttestedWorld,
  AUDIENCE,
  createAttestedWorld,
  MACHINE,
  SUBSCRIPTION,
  verifyWith,
} from './support.ts';

let attacker: Signer;
let attestation: Attestation;

beforeAll(async () => {
  attacker = await makeSelfSigned();
  attestation = (await createAttestedWorld()).attestation;
});

const contentOf = (world: AttestedWorld, change: object = {}): string =>
  JSON.stringify({
    nonce: attestationNonce(world.nonce, AUDIENCE),
    subscriptionId: SUBSCRIPTION,
    vmId: MACHINE,
    timeStamp: { createdOn: timeText(world.clock.now()), expiresOn: timeText(world.clock.now() + 3_600_000) },
    ...change,
  });
const base64 = (bytes: Buffer): string => bytes.toString('base64');
const bytesOf = (document: string): Buffer => Buffer.from(document, 'base64');

const FORGERIES: readonly [string, (world: AttestedWorld) => Promise<string>][] = [
  ['a signer of its own, whose certificate came along', (world) => world.document({}, attacker)],
  [
    'a signer of its own, beside the certificate of a good one',
    (world) =>
      world.document({}, attacker, {
        certificates: [world.attestation.signer.certificate, attacker.certificate],
      }),
  ],
  [
    "a signature of its own under the good signer's name",
    async (world) => {
      const { certificate } = world.attestation.signer;
      return world.document({}, { keys: attacker.keys, certificate });
    },
  ],
  [
    'a second signer behind the good one',
    (world) =>
      world.document({}, world.attestation.signer, { alsoSignedBy: { signer: attacker, first: false } }),
  ],
  [
    'a second signer before the good one',
    (world) =>
      world.document({}, world.attestation.signer, { alsoSignedBy: { signer: attacker, first: true } }),
  ],
  [
    'the same signer twice',
    (world) =>
      world.document({}, world.attestation.signer, {
        alsoSignedBy: { signer: world.attestation.signer, first: false },
      }),
  ],
  [
    'content swapped after it was signed',
    (world) =>
      world.document({}, world.attestation.signer, {
        swappedContent: contentOf(world, { vmId: 'ffffffff-0000-4000-8000-000000000001' }),
      }),
  ],
  ['no certificate', (world) => world.document({}, world.attestation.signer, { certificates: [] })],
  [
    'the certificate of its signer twice',
    (world) => {
      const { certificate } = world.attestation.signer;
      return world.document({}, world.attestation.signer, { certificates: [certificate, certificate] });
    },
  ],
  [
    'a crowd of certificates',
    (world) => {
      const { certificate } = world.attestation.signer;
      return world.document({}, world.attestation.signer, {
        certificates: [certificate, ...Array.from({ length: 5 }, () => world.attestation.intermediate)],
      });
    },
  ],
  [
    'another digest',
    (world) => world.document({}, world.attestation.signer, { digestAlgorithm: '1.3.14.3.2.26' }),
  ],
  [
    'no digest that anybody knows',
    (world) => world.document({}, world.attestation.signer, { digestAlgorithm: '1.2.3' }),
  ],
  [
    'a certificate of the same issuer for another name',
    async (world) => world.document({}, await world.attestation.makeSigner({ name: 'www.example.com' })),
  ],
  [
    'a name that only ends alike',
    async (world) =>
      world.document({}, await world.attestation.makeSigner({ name: 'evilmetadata.azure.com' })),
  ],
  [
    'a name that only begins alike',
    async (world) =>
      world.document({}, await world.attestation.makeSigner({ name: 'metadata.azure.com.evil.example' })),
  ],
  [
    'the right common name, and other names that count',
    async (world) =>
      world.document(
        {},
        await world.attestation.makeSigner({
          name: 'metadata.azure.com',
          alternativeNames: ['evil.example'],
        }),
      ),
  ],
  [
    'a certificate that has ended',
    async (world) =>
      world.document(
        {},
        await world.attestation.makeSigner({ notAfter: new Date(world.clock.now() - 1000) }),
      ),
  ],
  [
    'the nonce of another audience',
    (world) => world.document({ nonce: attestationNonce(world.nonce, 'other') }),
  ],
  ['no nonce', (world) => world.document({ nonce: '' })],
  ['the time instead of a nonce', (world) => world.document({ nonce: '20181128-001617' })],
  ['a nonce that is no text', (world) => world.attestation.sign(contentOf(world, { nonce: [1] }))],
  ['no subscription', (world) => world.attestation.sign(contentOf(world, { subscriptionId: undefined }))],
  [
    'a list of subscriptions',
    (world) => world.attestation.sign(contentOf(world, { subscriptionId: [SUBSCRIPTION] })),
  ],
  ['no machine', (world) => world.attestation.sign(contentOf(world, { vmId: undefined }))],
  ['a path for a machine', (world) => world.attestation.sign(contentOf(world, { vmId: `../${MACHINE}` }))],
  ['no time', (world) => world.attestation.sign(contentOf(world, { timeStamp: undefined }))],
  [
    'times that are none',
    (world) => world.attestation.sign(contentOf(world, { timeStamp: { createdOn: 1, expiresOn: 2 } })),
  ],
  ['no JSON', (world) => world.attestation.sign('{')],
  ['a list', (world) => world.attestation.sign('[]')],
  ['nothing', (world) => world.attestation.sign('')],
  ['its end cut off', async (world) => base64(bytesOf(await world.document()).subarray(0, -1))],
  [
    'half of it',
    async (world) => {
      const bytes = bytesOf(await world.document());
      return base64(bytes.subarray(0, bytes.length / 2));
    },
  ],
  [
    'something behind it',
    async (world) => base64(Buffer.concat([bytesOf(await world.document()), Buffer.from([5, 0])])),
  ],
  ['a line break in it', async (world) => (await world.document()).replace(/^(.{64})/, '$1\n')],
  [
    'other letters for the same bytes',
    async (world) => (await world.document()).replaceAll('+', '-').replaceAll('/', '_').concat('='),
  ],
  ['bytes of no meaning', async () => base64(randomBytes(1000))],
  ['no bytes', async () => ''],
  ['a certificate instead', async (world) => base64(world.attestation.signer.certificate.raw)],
  [
    'deep nesting',
    async () => base64(Buffer.concat(Array.from({ length: 1500 }, () => Buffer.from([0x30, 0x80])))),
  ],
];

describe('a forged document', () => {
  it.each(FORGERIES)('with %s is refused', async (_, forge) => {
    const world = await createAttestedWorld(attestation);
    const verifier = world.verifierOf();
    const started = Date.now();
    expect(await verifyWith(verifier, world.proof(await forge(world)))).toMatchObject({ type: 'refused' });
    expect(Date.now() - started).toBeLessThan(10_000);
    // It has bound nobody, and the verifier has not lost its sense for good ones.
    expect(await verifyWith(verifier, world.proof(await world.document()))).toMatchObject({
      type: 'identity',
    });
  });

  it('with the roots of Azure is refused when others signed it', async () => {
    const world = await createAttestedWorld(attestation);
    const verifier = world.verifierOf({ rootsFile: undefined });
    expect(await verifyWith(verifier, world.proof(await world.document()))).toMatchObject({
      type: 'refused',
      reason: expect.stringContaining('trusted root'),
    });
  });

  it('never comes from changing bytes of a good one', async () => {
    const world = await createAttestedWorld(attestation);
    const verifier = world.verifierOf();
    const good = bytesOf(await world.document());
    expect(await verifyWith(verifier, world.proof(base64(good)))).toMatchObject({ type: 'identity' });
    const change = fc.tuple(
      fc.nat(good.length - 1),
      fc.constantFrom('replace', 'insert', 'delete'),
      fc.nat(255),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        let bytes = good;
        for (const [at, kind, value] of changes) {
          const rest = bytes.subarray(kind === 'insert' ? at : at + 1);
          const middle = kind === 'delete' ? [] : [value];
          bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(middle), rest]);
        }
        fc.pre(!bytes.equals(good));
        expect(await verifyWith(verifier, world.proof(base64(bytes)))).toMatchObject({ type: 'refused' });
      }),
      { numRuns: 400 },
    );
  });

  it('never comes from changing a single byte, wherever it is', async () => {
    const world = await createAttestedWorld(attestation);
    const verifier = world.verifierOf();
    const good = bytesOf(await world.document());
    const accepted: string[] = [];
    for (let at = 0; at < good.length; at += 1) {
      for (const mask of [1 << (at % 8)]) {
        const bytes = Buffer.from(good);
        bytes[at] = (bytes[at] ?? 0) ^ mask;
        const outcome = await verifyWith(verifier, world.proof(base64(bytes)));
        if (outcome.type !== 'refused') accepted.push(`${at} ^ ${mask}: ${outcome.type}`);
      }
    }
    expect(accepted).toEqual([]);
  });
});

describe('a proof', () => {
  it.each([
    ['no proof', async () => 'hunter2'],
    ['the document alone', async (world: AttestedWorld) => world.document()],
    [
      'for another verifier',
      async (world: AttestedWorld) =>
        formatProof('aws-iid', { document: await world.document(), nonce: world.nonce }).reveal(),
    ],
    [
      'without a nonce',
      async (world: AttestedWorld) =>
        formatProof('azure-attested', { document: await world.document() }).reveal(),
    ],
    [
      'without a document',
      async (world: AttestedWorld) => formatProof('azure-attested', { nonce: world.nonce }).reveal(),
    ],
    [
      'with a document of objects',
      async (world: AttestedWorld) =>
        formatProof('azure-attested', { document: {}, nonce: world.nonce }).reveal(),
    ],
    [
      'with something more in it',
      async (world: AttestedWorld) =>
        formatProof('azure-attested', {
          document: await world.document(),
          nonce: world.nonce,
          more: 1,
        }).reveal(),
    ],
    [
      'with the nonce of another machine',
      async (world: AttestedWorld) => world.proof(await world.document(), newMachineNonce(randomBytes)),
    ],
    [
      'with the nonce that Azure signed',
      async (world: AttestedWorld) =>
        world.proof(await world.document(), attestationNonce(world.nonce, AUDIENCE)),
    ],
  ])('that is %s is refused', async (_, make) => {
    const world = await createAttestedWorld(attestation);
    expect(await verifyWith(world.verifierOf(), await make(world))).toMatchObject({ type: 'refused' });
  });
});

describe('an address for the certificate between', () => {
  it.each([
    'http://169.254.169.254/pkiops/certs/a.crt',
    'http://127.0.0.1/pkiops/certs/a.crt',
    'http://www.microsoft.com.evil.example/pkiops/certs/a.crt',
    'http://evil.example/pkiops/certs/a.crt',
    'http://www.microsoft.com@evil.example/pkiops/certs/a.crt',
    'http://evil.example#www.microsoft.com/pkiops/certs/a.crt',
    'http://www.microsoft.com:8080/pkiops/certs/a.crt',
    'http://www.microsoft.com/en-us/a.crt',
    'http://www.microsoft.com/pkiops/../en-us/a.crt',
    'http://www.microsoft.com/pkiops/certs/a.crt?to=evil',
    'http://www.microsoft.com/pkiops/certs/%2f%2e%2e/a.crt',
    'ftp://www.microsoft.com/pkiops/certs/a.crt',
    'file:///etc/passwd',
    'ldap://www.microsoft.com/cn=a',
  ])('%s is not asked', async (url) => {
    const world = await createAttestedWorld(attestation);
    const signer = await world.attestation.makeSigner({ issuerUrl: url });
    expect(issuerUrl(signer.certificate)).toBeUndefined();
    const proof = world.proof(await world.document({}, signer));
    expect(await verifyWith(world.verifierOf(), proof)).toMatchObject({ type: 'refused' });
    expect(world.fetched).toEqual([]);
  });

  it.each([
    'http://www.microsoft.com/pkiops/certs/Microsoft%20Azure%20RSA%20TLS%20Issuing%20CA%2003%20-%20xsign.crt',
    'https://WWW.Microsoft.com/pki/mscorp/Microsoft%20RSA%20TLS%20CA%2001.crt',
  ])('%s is, over https', async (url) => {
    const world = await createAttestedWorld(attestation);
    const signer = await world.attestation.makeSigner({ issuerUrl: url });
    const proof = world.proof(await world.document({}, signer));
    expect(await verifyWith(world.verifierOf(), proof)).toMatchObject({ type: 'identity' });
    expect(world.fetched).toEqual([new URL(url.replace('http:', 'https:')).href]);
  });
});

describe('a time', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(2000, 0) / 1000, max: Date.UTC(2099, 11) / 1000 }),
        (seconds) => {
          expect(timeOf(timeText(seconds * 1000))).toBe(seconds * 1000);
        },
      ),
    );
  });

  it.each([
    '',
    '11/28/18',
    '13/01/18 00:00:00 -0000',
    '02/30/18 00:00:00 -0000',
    '11/28/18 24:00:00 -0000',
    '11/28/18 00:60:00 -0000',
    '11/28/2018 00:00:00 -0000',
    '11/28/18 00:00:00',
    7,
    null,
  ])('%j is none', (text) => {
    expect(timeOf(text)).toBeUndefined();
  });

  it('may be of another zone', () => {
    expect(timeOf('11/28/18 02:16:17 +0200')).toBe(Date.UTC(2018, 10, 28, 0, 16, 17));
  });
});
