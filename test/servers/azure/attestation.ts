import { webcrypto, X509Certificate } from 'node:crypto';
import { fromBER, OctetString } from 'asn1js';
import {
  AlgorithmIdentifier,
  Certificate,
  ContentInfo,
  EncapsulatedContentInfo,
  IssuerAndSerialNumber,
  SignedData,
  SignerInfo,
} from 'pkijs';
import { loadX509 } from '../../support/certificates.ts';

/** What a document says. */
export interface AttestedContent {
  readonly nonce: string;
  readonly subscriptionId: string;
  readonly vmId: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly expiresAt?: number;
}

/** A key with its certificate and what it is issued by. */
export interface Signer {
  readonly keys: webcrypto.CryptoKeyPair;
  readonly certificate: X509Certificate;
}

/** What is different about a certificate for a signer. */
export interface SignerOptions {
  readonly name?: string;
  readonly alternativeNames?: readonly string[];
  readonly issuerUrl?: string;
  readonly notAfter?: Date;
}

/** What is done to a document beside signing it. */
export interface DocumentChanges {
  /** Takes part in the message in the place of the signer's. */
  readonly certificates?: readonly X509Certificate[];
  readonly digestAlgorithm?: string;
  /** Put into the message after signing. */
  readonly swappedContent?: string;
  /** Another signer, whose info is put first or last. */
  readonly alsoSignedBy?: { readonly signer: Signer; readonly first: boolean };
}

/** Those who sign documents for Azure: a root, an issuer under it, and signers. */
export interface Attestation {
  readonly root: X509Certificate;
  readonly intermediate: X509Certificate;
  readonly signer: Signer;
  makeSigner(options?: SignerOptions): Promise<Signer>;
  /** Base64, as in the `signature` of the metadata service. */
  sign(content: AttestedContent | string, by?: Signer, changes?: DocumentChanges): Promise<string>;
}

export const INTERMEDIATE_URL =
  'http://www.microsoft.com/pkiops/certs/Microsoft%20Azure%20RSA%20TLS%20Issuing%20CA%2003%20-%20xsign.crt';
export const SHA256_WITH_RSA = '1.2.840.113549.1.1.11';
export const SHA256 = '2.16.840.1.101.3.4.2.1';
const DATA = '1.2.840.113549.1.7.1';
const SIGNED_DATA = '1.2.840.113549.1.7.2';
const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
};
const DAY_MS = 24 * 60 * 60 * 1000;
/** A few for all that run in a process: making one takes long. */
const RSA_KEYS = [0, 1].map(() => webcrypto.subtle.generateKey(RSA, true, ['sign', 'verify']));

/** @param around the certificates are good for a year around this time */
export async function createAttestation(around = Date.now()): Promise<Attestation> {
  const x509 = await loadX509();
  const times = { notBefore: new Date(around - 180 * DAY_MS), notAfter: new Date(around + 180 * DAY_MS) };
  const authority = [
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ];
  const rootKeys = await webcrypto.subtle.generateKey(EC, true, ['sign', 'verify']);
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=Test Global Root G2, O=Test',
    ...times,
    signingAlgorithm: EC,
    keys: rootKeys,
    extensions: authority,
  });
  const issuerKeys = await webcrypto.subtle.generateKey(EC, true, ['sign', 'verify']);
  const intermediate = await x509.X509CertificateGenerator.create({
    serialNumber: '02',
    subject: 'CN=Test Azure RSA TLS Issuing CA 03, O=Test',
    issuer: root.subject,
    ...times,
    signingAlgorithm: EC,
    publicKey: issuerKeys.publicKey,
    signingKey: rootKeys.privateKey,
    extensions: authority,
  });
  let made = 0;

  async function makeSigner(options: SignerOptions = {}): Promise<Signer> {
    const { name = 'westeurope.metadata.azure.com', alternativeNames = [name] } = options;
    const keys = await RSA_KEYS[made % RSA_KEYS.length];
    if (!keys) throw new Error('there is no key');
    made += 1;
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: (0x10 + made).toString(16),
      subject: `CN=${name}, O=Test`,
      issuer: intermediate.subject,
      notBefore: times.notBefore,
      notAfter: options.notAfter ?? times.notAfter,
      signingAlgorithm: EC,
      publicKey: keys.publicKey,
      signingKey: issuerKeys.privateKey,
      extensions: [
        ...(alternativeNames.length > 0
          ? [
              new x509.SubjectAlternativeNameExtension(
                alternativeNames.map((value) => ({ type: 'dns' as const, value })),
              ),
            ]
          : []),
        new x509.AuthorityInfoAccessExtension({
          caIssuers: options.issuerUrl ?? INTERMEDIATE_URL,
          ocsp: 'http://oneocsp.microsoft.com/ocsp',
        }),
      ],
    });
    return { keys, certificate: new X509Certificate(Buffer.from(certificate.rawData)) };
  }

  const signer = await makeSigner();
  return {
    root: new X509Certificate(Buffer.from(root.rawData)),
    intermediate: new X509Certificate(Buffer.from(intermediate.rawData)),
    signer,
    makeSigner,
    sign: (content, by = signer, changes = {}) =>
      signDocument(typeof content === 'string' ? content : textOf(content), by, changes),
  };
}

/** The signer's own certificate, signed by nobody but its own key. */
export async function makeSelfSigned(name = 'westeurope.metadata.azure.com'): Promise<Signer> {
  const x509 = await loadX509();
  const keys = await webcrypto.subtle.generateKey(RSA, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '11',
    name: `CN=${name}, O=Test`,
    notBefore: new Date(Date.now() - 400 * DAY_MS),
    notAfter: new Date(Date.now() + 400 * DAY_MS),
    signingAlgorithm: RSA,
    keys,
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.AuthorityInfoAccessExtension({ caIssuers: INTERMEDIATE_URL }),
    ],
  });
  return { keys, certificate: new X509Certificate(Buffer.from(certificate.rawData)) };
}

async function signDocument(text: string, by: Signer, changes: DocumentChanges): Promise<string> {
  const content = new TextEncoder().encode(text);
  const own = await signerInfo(content, by, changes.digestAlgorithm ?? SHA256_WITH_RSA);
  const { alsoSignedBy: also } = changes;
  const other = also && (await signerInfo(content, also.signer, SHA256));
  const infos = other ? (also.first ? [other, own] : [own, other]) : [own];
  const shown = changes.certificates ?? [by.certificate, ...(also ? [also.signer.certificate] : [])];
  const inside =
    changes.swappedContent === undefined ? content : new TextEncoder().encode(changes.swappedContent);
  const data = new SignedData({
    version: 1,
    digestAlgorithms: [algorithm(changes.digestAlgorithm ?? SHA256_WITH_RSA)],
    encapContentInfo: new EncapsulatedContentInfo({ eContentType: DATA }),
    signerInfos: infos,
    certificates: shown.map((certificate) => Certificate.fromBER(new Uint8Array(certificate.raw))),
  });
  // Set behind the constructor's back, which would cut it into pieces of its own.
  data.encapContentInfo.eContent = new OctetString({ valueHex: inside });
  const info = new ContentInfo({ contentType: SIGNED_DATA, content: data.toSchema(true) });
  return Buffer.from(info.toSchema().toBER()).toString('base64');
}

async function signerInfo(content: Uint8Array, by: Signer, digestAlgorithm: string): Promise<SignerInfo> {
  const certificate = Certificate.fromBER(new Uint8Array(by.certificate.raw));
  const signature = await webcrypto.subtle.sign(RSA.name, by.keys.privateKey, content);
  return new SignerInfo({
    version: 1,
    sid: new IssuerAndSerialNumber({ issuer: certificate.issuer, serialNumber: certificate.serialNumber }),
    digestAlgorithm: algorithm(digestAlgorithm),
    signatureAlgorithm: algorithm(SHA256_WITH_RSA),
    signature: new OctetString({ valueHex: new Uint8Array(signature) }),
  });
}

function algorithm(algorithmId: string): AlgorithmIdentifier {
  const NULL = fromBER(new Uint8Array([5, 0])).result;
  return new AlgorithmIdentifier({ algorithmId, algorithmParams: NULL });
}

function textOf({ nonce, subscriptionId, vmId, createdAt, expiresAt }: AttestedContent): string {
  return JSON.stringify({
    licenseType: '',
    nonce,
    plan: { name: '', product: '', publisher: '' },
    sku: '12-gen2',
    subscriptionId,
    timeStamp: {
      createdOn: timeText(createdAt),
      expiresOn: timeText(expiresAt ?? createdAt + 6 * 3_600_000),
    },
    vmId,
  });
}

/** `11/28/18 00:16:17 -0000` */
export function timeText(time: number): string {
  const [, year, month, day, clock] =
    /^20(\d\d)-(\d\d)-(\d\d)T([\d:]{8})/.exec(new Date(time).toISOString()) ?? [];
  return `${month}/${day}/${year} ${clock} -0000`;
}
