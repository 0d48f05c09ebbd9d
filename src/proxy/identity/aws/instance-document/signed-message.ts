import { createHash, type KeyObject, timingSafeEqual, verify, type X509Certificate } from 'node:crypto';
import { Set as Asn1Set, fromBER, Integer, Null, type ObjectIdentifier, OctetString } from 'asn1js';
import type { AlgorithmIdentifier, Certificate, SignedData, SignerInfo } from 'pkijs';
import { isWellFormedBer } from './ber-form.ts';

/** A message whose form is right; nothing is known yet of who signed it. */
export interface SignedMessage {
  /** What the signature is over, and the only part that may be read. */
  readonly content: Buffer;
  /** Whether one of these certificates, and not one that came along, signed it. */
  isSignedBy(certificates: readonly X509Certificate[]): boolean;
}

type Pki = typeof import('pkijs');

const DATA = '1.2.840.113549.1.7.1';
const SIGNED_DATA = '1.2.840.113549.1.7.2';
const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const SHA256 = '2.16.840.1.101.3.4.2.1';
/** Plain RSA, and RSA with SHA-256: both are written for the same signature. */
const RSA: readonly string[] = ['1.2.840.113549.1.1.1', '1.2.840.113549.1.1.11'];
const SET_TAG = 0x31;

/**
 * Reads PKCS #7 signed data with its content inside, in BER: AWS writes lengths that end with a mark. Exactly one signer,
 * SHA-256 and RSA. Certificates in the message are never looked at: anybody can put his own there.
 * @returns undefined for anything else
 * @see RFC 5652, section 5
 */
export async function parseSignedMessage(bytes: Buffer): Promise<SignedMessage | undefined> {
  if (!isWellFormedBer(bytes)) return undefined;
  const pki: Pki = await import('pkijs');
  try {
    return parse(pki, bytes);
  } catch {
    // What the library throws depends on where the bytes stop making sense.
    return undefined;
  }
}

function parse(pki: Pki, bytes: Buffer): SignedMessage | undefined {
  const decoded = fromBER(new Uint8Array(bytes));
  if (decoded.offset !== bytes.length) return undefined;
  const info = new pki.ContentInfo({ schema: decoded.result });
  if (info.contentType !== SIGNED_DATA) return undefined;
  const data = new pki.SignedData({ schema: info.content });
  const [signer] = data.signerInfos;
  if (data.signerInfos.length !== 1 || !signer || !isPlain(data, signer)) return undefined;
  const content = contentOf(data);
  if (!content) return undefined;
  const texts = signedTexts(signer, content);
  return {
    content,
    isSignedBy: (certificates) =>
      certificates.some(
        (certificate) => isNamed(pki, signer, certificate) && isSigned(signer, texts, certificate.publicKey),
      ),
  };
}

/** Versions and algorithms that there are for this kind of message, and no other. */
function isPlain({ version, digestAlgorithms }: SignedData, signer: SignerInfo): boolean {
  const { digestAlgorithm, signatureAlgorithm } = signer;
  return (
    version === 1 &&
    signer.version === 1 &&
    digestAlgorithms.length === 1 &&
    [...digestAlgorithms, digestAlgorithm].every((algorithm) => isOneOf([SHA256], algorithm)) &&
    isOneOf(RSA, signatureAlgorithm)
  );
}

function isOneOf(allowed: readonly string[], { algorithmId, algorithmParams }: AlgorithmIdentifier): boolean {
  const isWithoutParameters = algorithmParams === undefined || algorithmParams instanceof Null;
  return allowed.includes(algorithmId) && isWithoutParameters;
}

function contentOf({ encapContentInfo: { eContentType, eContent } }: SignedData): Buffer | undefined {
  if (eContentType !== DATA || !(eContent instanceof OctetString)) return undefined;
  return Buffer.from(eContent.getValue());
}

/** What the signature may be over: the attributes as they came and in DER, or the content where there are none. */
function signedTexts({ signedAttrs }: SignerInfo, content: Buffer): readonly Buffer[] {
  if (!signedAttrs) return [content];
  const { attributes } = signedAttrs;
  const only = (type: string): unknown => {
    const found = attributes.filter((attribute) => attribute.type === type);
    const values: readonly unknown[] = found[0]?.values ?? [];
    return found.length === 1 && values.length === 1 ? values[0] : undefined;
  };
  const digest = only(MESSAGE_DIGEST);
  const type = only(CONTENT_TYPE) as ObjectIdentifier | undefined;
  const right = createHash('sha256').update(content).digest();
  const shown = digest instanceof OctetString ? Buffer.from(digest.getValue()) : Buffer.alloc(0);
  const isOfContent = shown.length === right.length && timingSafeEqual(shown, right);
  if (!isOfContent || type?.valueBlock.toString() !== DATA) return [];
  const asItCame = Buffer.from(signedAttrs.encodedValue);
  const inDer = Buffer.from(new Asn1Set({ value: attributes.map((one) => one.toSchema()) }).toBER());
  return asItCame[0] === SET_TAG ? [asItCame, inDer] : [inDer];
}

/** The message says by issuer and serial number whose signature it is. */
function isNamed(pki: Pki, { sid }: SignerInfo, { raw }: X509Certificate): boolean {
  if (!(sid instanceof pki.IssuerAndSerialNumber)) return false;
  const certificate: Certificate = pki.Certificate.fromBER(new Uint8Array(raw));
  const { serialNumber, issuer } = certificate;
  return (
    sid.serialNumber instanceof Integer &&
    sid.serialNumber.isEqual(serialNumber) &&
    sid.issuer.isEqual(issuer)
  );
}

function isSigned({ signature }: SignerInfo, texts: readonly Buffer[], key: KeyObject): boolean {
  const value = Buffer.from(signature.getValue());
  return texts.some((text) => verify('sha256', text, key, value));
}
