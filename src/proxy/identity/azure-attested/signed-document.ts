import { X509Certificate } from 'node:crypto';
import { fromBER, OctetString } from 'asn1js';
import { Certificate, ContentInfo, IssuerAndSerialNumber, SignedData, type SignerInfo } from 'pkijs';
import { DocumentError } from './document-error.ts';

/** A CMS message with one signer, taken apart; nothing in it is verified. */
export interface SignedDocument {
  /** What was signed in the end, and what to check the signature over. */
  readonly content: Buffer;
  readonly signedBytes: Buffer;
  /** The digest of the content that signed attributes speak of; undefined where the content is signed itself. */
  readonly statedDigest: Buffer | undefined;
  readonly signature: Buffer;
  /** The one that the signer names, out of those that came with the message. */
  readonly certificate: X509Certificate;
}

const MAXIMUM_LENGTH = 12 * 1024;
const MAXIMUM_CERTIFICATES = 5;
const DATA = '1.2.840.113549.1.7.1';
const SIGNED_DATA = '1.2.840.113549.1.7.2';
const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const SHA256 = '2.16.840.1.101.3.4.2.1';
const RSA = '1.2.840.113549.1.1.1';
const SHA256_WITH_RSA = '1.2.840.113549.1.1.11';
/** Azure writes the name of the signature algorithm where that of the digest belongs. */
const DIGESTS = [SHA256, SHA256_WITH_RSA];
const SIGNATURES = [RSA, SHA256_WITH_RSA];
const SET_OF = 0x31;

/**
 * @param text base64
 * @throws {DocumentError} for anything but one message with one signer, in DER, and nothing after it
 * @see RFC 5652, section 5
 */
export function parseSignedDocument(text: string): SignedDocument {
  const der = decode(text);
  try {
    return takeApart(der);
  } catch (error) {
    if (error instanceof DocumentError) throw error;
    // The parsers' errors are of many kinds, and quote the message.
    throw new DocumentError('it is no CMS message');
  }
}

function takeApart(der: Buffer): SignedDocument {
  const parsed = fromBER(new Uint8Array(der));
  if (parsed.offset !== der.length) throw new DocumentError('it is cut, or something follows it');
  const info = new ContentInfo({ schema: parsed.result });
  if (info.contentType !== SIGNED_DATA) throw new DocumentError('it is no signed message');
  const data = new SignedData({ schema: info.content });
  const signer = onlySigner(data);
  const content = contentOf(data);
  const certificate = certificateOf(data, signer);
  return { content, certificate, signature: bytesOf(signer.signature), ...signedPart(signer, content) };
}

function onlySigner({ signerInfos }: SignedData): SignerInfo {
  const [signer] = signerInfos;
  if (!signer || signerInfos.length !== 1) {
    throw new DocumentError(`it has ${signerInfos.length} signers instead of one`);
  }
  if (!DIGESTS.includes(signer.digestAlgorithm.algorithmId)) {
    throw new DocumentError('its digest is not SHA-256');
  }
  if (!SIGNATURES.includes(signer.signatureAlgorithm.algorithmId)) {
    throw new DocumentError('its signature is not RSA with SHA-256');
  }
  return signer;
}

function contentOf({ encapContentInfo }: SignedData): Buffer {
  const { eContentType, eContent } = encapContentInfo;
  if (eContentType !== DATA || !eContent) throw new DocumentError('it holds no content');
  return bytesOf(eContent);
}

/** Issuer and serial number have to name exactly one of the certificates that came along. */
function certificateOf({ certificates = [] }: SignedData, { sid }: SignerInfo): X509Certificate {
  if (!(sid instanceof IssuerAndSerialNumber)) throw new DocumentError('its signer is not named by issuer');
  if (certificates.length > MAXIMUM_CERTIFICATES) throw new DocumentError('it holds too many certificates');
  const named = certificates.filter(
    (certificate) =>
      certificate instanceof Certificate &&
      certificate.issuer.isEqual(sid.issuer) &&
      certificate.serialNumber.isEqual(sid.serialNumber),
  );
  const [certificate] = named;
  if (!(certificate instanceof Certificate) || named.length !== 1) {
    throw new DocumentError('it does not hold the certificate of its signer, or holds it twice');
  }
  return new X509Certificate(Buffer.from(certificate.toSchema().toBER()));
}

function signedPart(
  { signedAttrs }: SignerInfo,
  content: Buffer,
): Pick<SignedDocument, 'signedBytes' | 'statedDigest'> {
  if (!signedAttrs) return { signedBytes: content, statedDigest: undefined };
  const only = (type: string): unknown => {
    const values = signedAttrs.attributes.filter((attribute) => attribute.type === type);
    const [attribute] = values;
    if (values.length !== 1 || attribute?.values.length !== 1) {
      throw new DocumentError('its signed attributes are not as they have to be');
    }
    return attribute.values[0];
  };
  const type = only(CONTENT_TYPE) as { valueBlock?: { toString(): string } };
  const digest = only(MESSAGE_DIGEST);
  if (type.valueBlock?.toString() !== DATA || !(digest instanceof OctetString)) {
    throw new DocumentError('its signed attributes are not as they have to be');
  }
  // They are signed as the set that they are, not with the tag that they have in the message: section 5.4.
  const signedBytes = Buffer.from(new Uint8Array(signedAttrs.encodedValue));
  signedBytes[0] = SET_OF;
  return { signedBytes, statedDigest: bytesOf(digest) };
}

/** Only in one piece: DER has no other form. */
function bytesOf(octets: OctetString): Buffer {
  if (octets.idBlock.isConstructed) throw new DocumentError('it is not in DER');
  return Buffer.from(octets.valueBlock.valueHexView);
}

function decode(text: string): Buffer {
  if (text.length > MAXIMUM_LENGTH) throw new DocumentError('it is too long');
  const der = Buffer.from(text, 'base64');
  if (der.length === 0 || der.toString('base64') !== text) throw new DocumentError('it is not base64');
  return der;
}
