import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { FileReference, systemClock } from '../../../../src/core/index.ts';
import type { Verifier } from '../../../../src/proxy/identity/index.ts';
import { parseAlternativeNames } from '../../../../src/proxy/identity/mtls/alternative-names.ts';
import { createMtlsVerifier, type MtlsVerifierOptions } from '../../../../src/proxy/identity/mtls/index.ts';
import {
  type CertificateAuthority,
  type ClientCertificate,
  createCertificateAuthority,
} from '../../../support/certificates.ts';
import { describeCertificateVerifier } from '../verifier-suite.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const { signal } = new AbortController();

let authority: CertificateAuthority;

beforeAll(async () => {
  authority = await createCertificateAuthority();
});

function verifierOf(pem: string, nameFrom: MtlsVerifierOptions['nameFrom'] = 'commonName'): Verifier {
  const certificateAuthorityFile = new FileReference('ca.crt');
  certificateAuthorityFile.resolve('/ca.crt', Buffer.from(pem));
  return createMtlsVerifier(
    { type: 'mtls', name: 'machines', certificateAuthorityFile, nameFrom },
    { clock: systemClock },
  );
}

async function show(
  wanted: ClientCertificate,
  nameFrom?: MtlsVerifierOptions['nameFrom'],
  issuer = authority,
) {
  const { certificatePem } = await issuer.issueClient(wanted);
  return verifierOf(authority.certificatePem, nameFrom).verifyCertificate?.(
    new X509Certificate(certificatePem),
    signal,
  );
}

describeCertificateVerifier('mtls', async () => {
  const impostor = await createCertificateAuthority();
  const certificateOf = async (wanted: ClientCertificate, issuer = authority) =>
    new X509Certificate((await issuer.issueClient(wanted)).certificatePem);
  return {
    verifier: verifierOf(authority.certificatePem),
    identityName: 'anna',
    certificate: await certificateOf({ subject: 'CN=anna,OU=staff' }),
    wrongCertificates: {
      'of another authority of the same name': await certificateOf({ subject: 'CN=anna' }, impostor),
      'has ended': await certificateOf({ subject: 'CN=anna', notAfter: new Date(Date.now() - 1000) }),
      'is for servers': await certificateOf({ subject: 'CN=anna', usage: 'server' }),
      'names nobody': await certificateOf({ subject: 'O=acme' }),
      'is the authority itself': new X509Certificate(authority.certificatePem),
    },
  };
});

describe('a client certificate', () => {
  it('is an identity: the common name, organizational units as groups, and what else it says', async () => {
    const alternativeNames = [
      { type: 'dns', value: 'node1.example.com' },
      { type: 'url', value: 'spiffe://example.org/node/1' },
    ] as const;
    const outcome = await show({ subject: 'CN=anna,OU=platform,OU=staff,O=acme', alternativeNames });
    expect(outcome).toMatchObject({
      type: 'identity',
      identity: {
        verifier: 'machines',
        name: 'anna',
        claims: { dns: ['node1.example.com'], uri: ['spiffe://example.org/node/1'] },
      },
    });
    if (outcome?.type !== 'identity') return;
    expect([...outcome.identity.groups].sort()).toEqual(['platform', 'staff']);
    expect(JSON.parse(JSON.stringify(outcome.identity))).toStrictEqual(outcome.identity);
  });

  it.each([
    ['uri', { type: 'url', value: 'spiffe://example.org/node/1' }],
    ['dns', { type: 'dns', value: 'node1.example.com' }],
    ['email', { type: 'email', value: 'anna@example.com' }],
  ] as const)('is named by its %s where that is asked for', async (nameFrom, name) => {
    expect(await show({ subject: 'CN=other', alternativeNames: [name] }, nameFrom)).toMatchObject({
      identity: { name: name.value },
    });
    expect(await show({ subject: 'CN=other' }, nameFrom)).toMatchObject({ type: 'refused' });
    const two = [name, { ...name, value: `x${name.value}` }];
    expect(await show({ subject: 'CN=other', alternativeNames: two }, nameFrom)).toMatchObject({
      type: 'refused',
    });
  });

  it.each<[string, ClientCertificate]>([
    ['has ended', { subject: 'CN=anna', notAfter: new Date(Date.now() - 1000) }],
    ['is not valid yet', { subject: 'CN=anna', notBefore: new Date(Date.now() + DAY_MS / 2) }],
    ['is for servers', { subject: 'CN=anna', usage: 'server' }],
    ['is an authority', { subject: 'CN=anna', authority: true }],
    ['has no common name', { subject: 'O=acme' }],
    ['has two common names', { subject: 'CN=anna,CN=root' }],
  ])('that %s is refused', async (_, wanted) => {
    expect(await show(wanted)).toMatchObject({ type: 'refused' });
  });

  it.each(['any', 'unsaid'] as const)('whose usage is %s is taken', async (usage) => {
    expect(await show({ subject: 'CN=anna', usage })).toMatchObject({ type: 'identity' });
  });

  it('of another authority is refused, also when that one has the same name', async () => {
    const impostor = await createCertificateAuthority();
    expect(await show({ subject: 'CN=anna' }, undefined, impostor)).toMatchObject({ type: 'refused' });
  });

  it('of any of several authorities is taken', async () => {
    const other = await createCertificateAuthority('other');
    const verifier = verifierOf(`${other.certificatePem}\n${authority.certificatePem}`);
    for (const issuer of [authority, other]) {
      const { certificatePem } = await issuer.issueClient({ subject: 'CN=anna' });
      expect(await verifier.verifyCertificate?.(new X509Certificate(certificatePem), signal)).toMatchObject({
        type: 'identity',
      });
    }
  });

  it('changed in any byte is never taken', async () => {
    const { certificatePem } = await authority.issueClient({ subject: 'CN=anna,OU=staff' });
    const verifier = verifierOf(authority.certificatePem);
    const { raw } = new X509Certificate(certificatePem);
    await fc.assert(
      fc.asyncProperty(fc.nat(raw.length - 1), fc.integer({ min: 1, max: 255 }), async (position, change) => {
        const forged = Buffer.from(raw);
        forged[position] = (forged[position] ?? 0) ^ change;
        let certificate: X509Certificate;
        try {
          certificate = new X509Certificate(forged);
        } catch {
          return;
        }
        expect((await verifier.verifyCertificate?.(certificate, signal))?.type).not.toBe('identity');
      }),
      { numRuns: 500 },
    );
  });
});

describe('authorities', () => {
  it('have to be certificates of authorities', async () => {
    const { certificatePem } = await authority.issueClient({ subject: 'CN=anna' });
    for (const pem of ['', 'nonsense', certificatePem]) expect(() => verifierOf(pem)).toThrow();
  });
});

describe('alternative names', () => {
  it('are not split within a value', () => {
    expect(parseAlternativeNames('DNS:"a, DNS:b", DNS:c, URI:spiffe://x/y, IP Address:127.0.0.1')).toEqual({
      dns: ['a, DNS:b', 'c'],
      email: [],
      uri: ['spiffe://x/y'],
    });
    expect(parseAlternativeNames('')).toEqual({ dns: [], email: [], uri: [] });
    expect(parseAlternativeNames('DNS:"open')).toBeUndefined();
    expect(parseAlternativeNames('nonsense')).toBeUndefined();
  });
});
