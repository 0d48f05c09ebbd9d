import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { instanceDocument, type MessageOptions, signedMessage } from '../../../servers/aws/index.ts';
import { createMemoryState } from '../support/memory-state.ts';
import {
  createDocumentBench,
  createSigners,
  goodMessage,
  MINE,
  proofOf,
  type Signers,
} from './document-support.ts';

const REFUSED = { type: 'refused' };
const IDENTITY = { type: 'identity' };
let signers: Signers;

beforeAll(async () => {
  signers = await createSigners();
});

describe('a forged document', () => {
  const forgeries: readonly (readonly [string, (signers: Signers) => Buffer])[] = [
    ['of an attacker', ({ attacker }) => signedMessage(instanceDocument(), attacker)],
    [
      'of an attacker whose certificate is in the message',
      ({ attacker }) => signedMessage(instanceDocument(), attacker, { certificates: [attacker] }),
    ],
    [
      'of an attacker who names AWS, with both certificates in the message',
      ({ attacker, ireland }) =>
        signedMessage(instanceDocument(), ireland, { key: attacker.key, certificates: [attacker, ireland] }),
    ],
    [
      'with the certificate of AWS, and two signers',
      ({ attacker, ireland }) => signedMessage(instanceDocument(), ireland, { signers: [ireland, attacker] }),
    ],
    [
      'with two signers, the attacker first',
      ({ attacker, ireland }) =>
        signedMessage(instanceDocument(), ireland, {
          signers: [attacker, ireland],
          certificates: [attacker],
        }),
    ],
    [
      'with the same signer twice',
      ({ ireland }) => signedMessage(instanceDocument(), ireland, { signers: [ireland, ireland] }),
    ],
    ['without a signer', ({ ireland }) => signedMessage(instanceDocument(), ireland, { signers: [] })],
    [
      'whose content was swapped',
      ({ ireland }) =>
        signedMessage(instanceDocument({ instanceId: 'i-0fedcba9876543210' }), ireland, {
          signedContent: instanceDocument(),
        }),
    ],
    [
      'whose content was swapped, without signed attributes',
      ({ ireland }) =>
        signedMessage(instanceDocument({ accountId: '111122223333' }), ireland, {
          signedContent: 'other',
          signedAttributes: 'missing',
        }),
    ],
    ['that another region signed', ({ frankfurt }) => signedMessage(instanceDocument(), frankfurt)],
    [
      'of a region without a certificate',
      ({ ireland }) => signedMessage(instanceDocument({ region: 'us-east-1' }), ireland),
    ],
    [
      'that claims another region than its signer has',
      ({ ireland }) => signedMessage(instanceDocument({ region: 'eu-central-1' }), ireland),
    ],
    [
      'with a digest in SHA-1',
      ({ ireland }) => signedMessage(instanceDocument(), ireland, { digest: 'sha1' }),
    ],
    [
      'that says DSA signed it',
      ({ ireland }) => signedMessage(instanceDocument(), ireland, { signatureOid: '1.2.840.10040.4.1' }),
    ],
    [
      'with a digest twice',
      ({ ireland }) => signedMessage(instanceDocument(), ireland, { signedAttributes: 'twice' }),
    ],
    [
      'whose attributes are of another type of content',
      ({ ireland }) => signedMessage(instanceDocument(), ireland, { signedAttributes: 'of other type' }),
    ],
    ['that is no JSON', ({ ireland }) => signedMessage('<xml/>', ireland)],
    ['that is a list', ({ ireland }) => signedMessage(`[${instanceDocument()}]`, ireland)],
    [
      'without an account',
      ({ ireland }) => signedMessage(instanceDocument({ accountId: undefined }), ireland),
    ],
    [
      'whose account is a number',
      ({ ireland }) => signedMessage(instanceDocument({ accountId: 111122223333 }), ireland),
    ],
    [
      'whose instance is odd',
      ({ ireland }) => signedMessage(instanceDocument({ instanceId: 'i-0/../x' }), ireland),
    ],
    [
      'whose region is a path',
      ({ ireland }) => signedMessage(instanceDocument({ region: '../eu-west-1' }), ireland),
    ],
    ['without a time', ({ ireland }) => signedMessage(instanceDocument({ pendingTime: null }), ireland)],
    ['of a time in words', ({ ireland }) => signedMessage(instanceDocument({ pendingTime: 'now' }), ireland)],
    [
      'of the future',
      ({ ireland }) => signedMessage(instanceDocument({ pendingTime: '2026-01-02T00:00:00Z' }), ireland),
    ],
    [
      'of two hours ago',
      ({ ireland }) => signedMessage(instanceDocument({ pendingTime: '2025-12-31T22:00:00Z' }), ireland),
    ],
    ['with a byte behind it', (all) => Buffer.concat([goodMessage(all), Buffer.from([0])])],
    ['with another message behind it', (all) => Buffer.concat([goodMessage(all), goodMessage(all)])],
    ['that is empty', () => Buffer.alloc(0)],
    ['that is nothing but depth', () => Buffer.alloc(4000, Buffer.from([0x30, 0x80]))],
    ['that promises more than there is', () => Buffer.from('3084ffffffff0609', 'hex')],
  ];

  it.each(forgeries)('%s is refused', async (_, forge) => {
    const { verify } = await createDocumentBench(signers, createMemoryState);
    expect(await verify(forge(signers))).toMatchObject(REFUSED);
    // Nothing was bound by it.
    expect(await verify(goodMessage(signers))).toMatchObject(IDENTITY);
  });

  it('that takes the signed attributes of a good one for its content is refused', async () => {
    const { verify } = await createDocumentBench(signers, createMemoryState);
    const good = goodMessage(signers, {}, { form: 'definite' });
    const at = good.indexOf(Buffer.from('a0', 'hex'), good.length - 420);
    const message = signedMessage(good.subarray(at).toString('latin1'), signers.ireland, {
      signedAttributes: 'missing',
    });
    expect(await verify(message)).toMatchObject(REFUSED);
  });

  it.each([
    ['without padding', (text: string) => `${text.replace(/=+$/, '')}`],
    ['with a line break', (text: string) => `${text.slice(0, 8)}\n${text.slice(8)}`],
    ['of the other alphabet', (text: string) => text.replace(/\+/g, '-').replace(/\//g, '_')],
    ['with more behind it', (text: string) => `${text}AAAA`],
  ])('in base64 %s is refused', async (_, change) => {
    const { verify } = await createDocumentBench(signers, createMemoryState);
    // A length that is no multiple of three has padding, and random bytes have both signs.
    const text = goodMessage(signers, { kernelId: 'aki-1' }).toString('base64');
    const changed = change(text);
    if (changed === text) return;
    expect(await verify(changed)).toMatchObject(REFUSED);
  });

  it.each([undefined, '', 'short', 1, `${MINE}x`, [MINE]])(
    'without a proper nonce (%j) is refused',
    async (nonce) => {
      const { verifierOf } = await createDocumentBench(signers, createMemoryState);
      const password = proofOf(goodMessage(signers).toString('base64'), nonce as string);
      const outcome = await verifierOf().verify({ username: '', password }, new AbortController().signal);
      expect(outcome).toMatchObject(REFUSED);
    },
  );

  it('is refused at each place where it may be cut', async () => {
    const { verify, verifierOf } = await createDocumentBench(signers, createMemoryState);
    const verifier = verifierOf();
    for (const form of ['indefinite', 'definite'] as const) {
      const good = goodMessage(signers, {}, { form });
      for (let length = 0; length < good.length; length += 31) {
        expect(await verify(good.subarray(0, length), MINE, verifier)).toMatchObject(REFUSED);
      }
    }
  });

  it('that differs in one byte from a good one is refused, or says the same', async () => {
    const { verify, verifierOf } = await createDocumentBench(signers, createMemoryState);
    const verifier = verifierOf();
    const good = goodMessage(signers);
    const first = await verify(good, MINE, verifier);
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), async (at, difference) => {
        const changed = Buffer.from(good);
        changed[at] = (changed[at] ?? 0) ^ difference;
        const outcome = await verify(changed, MINE, verifier);
        // Nobody signs the case of letters in the issuer's name: then nothing else comes of it.
        if (outcome.type === 'identity') expect(outcome).toEqual(first);
        else expect(outcome).toMatchObject(REFUSED);
      }),
      { numRuns: 250 },
    );
    const begin = good.indexOf('{');
    for (let at = begin; at < good.lastIndexOf('}'); at += 23) {
      const changed = Buffer.from(good);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await verify(changed, MINE, verifier)).toMatchObject(REFUSED);
    }
  });
});

describe('a message that AWS may write', () => {
  it.each([
    ['with lengths ended by marks', { form: 'indefinite' }],
    ['in DER', { form: 'definite' }],
    ['with lengths that are longer than need be', { form: 'padded' }],
    ['with its content in pieces', { pieces: true }],
    ['with its content in pieces, in DER else', { pieces: true, form: 'definite' }],
    ['without signed attributes', { signedAttributes: 'missing' }],
    ['that names RSA with SHA-256', { signatureOid: '1.2.840.113549.1.1.11' }],
  ] as [string, MessageOptions][])('is taken %s', async (_, options) => {
    const { verify } = await createDocumentBench(signers, createMemoryState);
    expect(await verify(goodMessage(signers, {}, options))).toMatchObject(IDENTITY);
  });

  it('is taken with the certificate of AWS in it, and without', async () => {
    const { verify } = await createDocumentBench(signers, createMemoryState);
    const certificates = [signers.ireland];
    expect(await verify(goodMessage(signers, {}, { certificates }))).toMatchObject(IDENTITY);
  });
});
