import { createHash, createPrivateKey, type KeyObject, sign, webcrypto, X509Certificate } from 'node:crypto';
import { Certificate } from 'pkijs';
import { loadX509 } from '../../support/certificates.ts';
import { element, type LengthForm, NULL, oid, sequence, set } from './ber.ts';

/** What AWS signs documents of a region with. */
export interface DocumentSigner {
  readonly certificatePem: string;
  readonly key: KeyObject;
}

/** How a message differs from one that AWS would make. */
export interface MessageOptions {
  /** AWS ends the lengths of what is outside by a mark. */
  readonly form?: LengthForm;
  /** Of what is inside of the signed attributes. */
  readonly attributesForm?: LengthForm;
  /** The content in several pieces, as a constructed octet string. */
  readonly pieces?: boolean;
  /** Certificates that are put into the message. */
  readonly certificates?: readonly DocumentSigner[];
  /** Who signs; the message may name somebody else. */
  readonly key?: KeyObject;
  /** Who is named, and once more for each; one when missing. */
  readonly signers?: readonly DocumentSigner[];
  /** What the signature is over, where it is not what is inside. */
  readonly signedContent?: string;
  readonly signedAttributes?: 'present' | 'missing' | 'twice' | 'of other type';
  readonly digest?: 'sha256' | 'sha1';
  readonly signatureOid?: string;
}

const OIDS = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha1: '1.3.14.3.2.26',
  rsa: '1.2.840.113549.1.1.1',
} as const;
const LINE_LENGTH = 76;

/** A key and its certificate, as AWS has one for each region. */
export async function createDocumentSigner(
  options: { readonly name?: string; readonly bits?: number; readonly notAfter?: Date } = {},
): Promise<DocumentSigner> {
  const x509 = await loadX509();
  const algorithm = {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: options.bits ?? 2048,
  };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: 'b1d1e9c0f1a2b3c4',
    name: `C=US,ST=Washington State,L=Seattle,O=${options.name ?? 'Amazon Web Services LLC'}`,
    notBefore: new Date('2024-01-01T00:00:00Z'),
    notAfter: options.notAfter ?? new Date('2195-01-17T00:00:00Z'),
    signingAlgorithm: algorithm,
    keys,
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return {
    certificatePem: certificate.toString('pem'),
    key: createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }),
  };
}

/** The document of an instance, as EC2 writes it. */
export function instanceDocument(changes: Readonly<Record<string, unknown>> = {}): string {
  const document = {
    accountId: '111122223333',
    architecture: 'x86_64',
    availabilityZone: 'eu-west-1a',
    billingProducts: null,
    devpayProductCodes: null,
    marketplaceProductCodes: null,
    imageId: 'ami-0123456789abcdef0',
    instanceId: 'i-0123456789abcdef0',
    instanceType: 't3.micro',
    kernelId: null,
    pendingTime: '2026-01-01T00:00:00Z',
    privateIp: '10.158.112.84',
    ramdiskId: null,
    region: 'eu-west-1',
    version: '2017-09-30',
    ...changes,
  };
  return JSON.stringify(document, null, 2).replace(/":/g, '" :');
}

/** `/latest/dynamic/instance-identity/rsa2048`: lines of base64. */
export function signedDocument(
  document: string,
  signer: DocumentSigner,
  options: MessageOptions = {},
): string {
  const text = signedMessage(document, signer, options).toString('base64');
  return text.match(new RegExp(`.{1,${LINE_LENGTH}}`, 'g'))?.join('\n') ?? '';
}

/** The same as bytes. @see RFC 5652 */
export function signedMessage(
  document: string,
  signer: DocumentSigner,
  options: MessageOptions = {},
): Buffer {
  const { form = 'indefinite', certificates = [], signers = [signer] } = options;
  const content = Buffer.from(document);
  const octets = options.pieces
    ? element(0x24, [element(0x04, content.subarray(0, 100)), element(0x04, content.subarray(100))], form)
    : element(0x04, content);
  const digest = OIDS[options.digest ?? 'sha256'];
  const signedData = sequence(
    [
      element(0x02, Buffer.from([1])),
      set([sequence([oid(digest), NULL])], form),
      sequence([oid(OIDS.data), element(0xa0, [octets], form)], form),
      ...(certificates.length > 0
        ? [
            element(
              0xa0,
              certificates.map(({ certificatePem }) => new X509Certificate(certificatePem).raw),
              form,
            ),
          ]
        : []),
      set(
        signers.map((named) => signerInfo(named, content, options)),
        form,
      ),
    ],
    form,
  );
  return sequence([oid(OIDS.signedData), element(0xa0, [signedData], form)], form);
}

function signerInfo(named: DocumentSigner, content: Buffer, options: MessageOptions): Buffer {
  const { signedAttributes = 'present', signatureOid = OIDS.rsa, attributesForm } = options;
  const digest = options.digest ?? 'sha256';
  const signed = options.signedContent === undefined ? content : Buffer.from(options.signedContent);
  const attributes = signedAttributes === 'missing' ? undefined : attributesOf(signed, options);
  const toSign = attributes ? set(attributes, attributesForm) : signed;
  const { issuer, serialNumber } = Certificate.fromBER(
    new Uint8Array(new X509Certificate(named.certificatePem).raw),
  );
  return sequence([
    element(0x02, Buffer.from([1])),
    sequence([Buffer.from(issuer.toSchema().toBER()), Buffer.from(serialNumber.toBER())]),
    sequence([oid(OIDS[digest]), NULL]),
    ...(attributes ? [element(0xa0, attributes, attributesForm)] : []),
    sequence([oid(signatureOid), NULL]),
    element(0x04, sign(digest, toSign, options.key ?? named.key)),
  ]);
}

function attributesOf(content: Buffer, { signedAttributes, digest = 'sha256' }: MessageOptions): Buffer[] {
  const attribute = (type: string, value: Buffer) => sequence([oid(type), set([value])]);
  const type = signedAttributes === 'of other type' ? OIDS.signedData : OIDS.data;
  const hash = attribute(OIDS.messageDigest, element(0x04, createHash(digest).update(content).digest()));
  return [
    attribute(OIDS.contentType, oid(type)),
    attribute(OIDS.signingTime, element(0x17, Buffer.from('260101000000Z'))),
    hash,
    ...(signedAttributes === 'twice' ? [hash] : []),
  ];
}
