import { X509Certificate } from 'node:crypto';
import { type DerElement, derChildren, derContent, derElements, malformed, TAG } from './der.ts';
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

interface Signer {
  readonly name: SignerName;
  readonly digest: string;
  readonly attributes: DerElement | undefined;
  readonly signature: Buffer;
}

/** Issuer and serial number, in their bytes. */
interface SignerName {
  readonly issuer: Buffer;
  readonly serial: Buffer;
}

const MAXIMUM_LENGTH = 12 * 1024;
const MAXIMUM_CERTIFICATES = 5;
const VERSION_1 = '01';
/** Object identifiers, by the bytes of their content in hex. */
const OID = {
  data: '2a864886f70d010701',
  signedData: '2a864886f70d010702',
  contentType: '2a864886f70d010903',
  messageDigest: '2a864886f70d010904',
  sha256: '608648016503040201',
  rsa: '2a864886f70d010101',
  sha256WithRsa: '2a864886f70d01010b',
} as const;
/** Azure writes the name of the signature algorithm where that of the digest belongs. */
const DIGESTS: readonly string[] = [OID.sha256, OID.sha256WithRsa];
const SIGNATURES: readonly string[] = [OID.rsa, OID.sha256WithRsa];

/**
 * @param text base64
 * @throws {DocumentError} for anything but one message with one signer, in DER, and nothing after it
 * @see RFC 5652, section 5
 */
export function parseSignedDocument(text: string): SignedDocument {
  const [info, ...rest] = derElements(decode(text));
  const [type, wrapped, ...more] = derChildren(info, TAG.sequence);
  const [data, ...others] = derChildren(wrapped, TAG.context0);
  if (rest.length + more.length + others.length > 0 || hexOf(type) !== OID.signedData) throw malformed();
  // No lists of revoked certificates: there would be one element more.
  const [version, digests, encapsulated, certificates, signers, ...unknown] = derChildren(data, TAG.sequence);
  requireVersion(version);
  const signer = onlySigner(derChildren(signers, TAG.set));
  const stated = derChildren(digests, TAG.set).map(algorithmOf);
  if (unknown.length > 0 || stated.length !== 1 || stated[0] !== signer.digest) throw malformed();
  const content = contentOf(encapsulated);
  return {
    content,
    certificate: certificateOf(derChildren(certificates, TAG.context0), signer.name),
    signature: signer.signature,
    ...signedPart(signer.attributes, content),
  };
}

function onlySigner(infos: readonly DerElement[]): Signer {
  if (infos.length !== 1) throw new DocumentError(`it has ${infos.length} signers instead of one`);
  const [version, sid, digestAlgorithm, ...rest] = derChildren(infos[0], TAG.sequence);
  requireVersion(version);
  const attributes = rest[0]?.tag === TAG.context0 ? rest[0] : undefined;
  const [signatureAlgorithm, signature, ...unknown] = attributes ? rest.slice(1) : rest;
  if (unknown.length > 0) throw new DocumentError('its signer has attributes that nobody signed');
  const digest = algorithmOf(digestAlgorithm);
  if (!DIGESTS.includes(digest)) throw new DocumentError('its digest is not SHA-256');
  if (!SIGNATURES.includes(algorithmOf(signatureAlgorithm))) {
    throw new DocumentError('its signature is not RSA with SHA-256');
  }
  const [issuer, serial, ...more] = derChildren(sid, TAG.sequence);
  if (!issuer || !serial || more.length > 0) throw malformed();
  return {
    name: { issuer: issuer.bytes, serial: serial.bytes },
    digest,
    attributes,
    signature: derContent(signature, TAG.octetString),
  };
}

function contentOf(encapsulated: DerElement | undefined): Buffer {
  const [type, wrapped, ...rest] = derChildren(encapsulated, TAG.sequence);
  if (hexOf(type) !== OID.data || rest.length > 0) throw new DocumentError('it holds no content');
  const [octets, ...more] = derChildren(wrapped, TAG.context0);
  if (more.length > 0) throw malformed();
  return derContent(octets, TAG.octetString);
}

/** Issuer and serial number have to name exactly one of the certificates that came along. */
function certificateOf(certificates: readonly DerElement[], name: SignerName): X509Certificate {
  if (certificates.length > MAXIMUM_CERTIFICATES) throw new DocumentError('it holds too many certificates');
  const named = certificates.filter((certificate) => isNamed(certificate, name));
  const [certificate] = named;
  if (!certificate || named.length !== 1) {
    throw new DocumentError('it does not hold the certificate of its signer, or holds it twice');
  }
  try {
    return new X509Certificate(certificate.bytes);
  } catch {
    throw new DocumentError("the certificate of its signer can't be read");
  }
}

/** @see RFC 5280, section 4.1 */
function isNamed(certificate: DerElement, { issuer, serial }: SignerName): boolean {
  const [signed, algorithm, signature, ...rest] = derChildren(certificate, TAG.sequence);
  const [version, own, signedAlgorithm, ownIssuer] = derChildren(signed, TAG.sequence);
  // The algorithm stands twice, and once where nobody signs it; so does a number of unused bits.
  const isWhole =
    version?.tag === TAG.context0 &&
    rest.length === 0 &&
    algorithm !== undefined &&
    signedAlgorithm?.bytes.equals(algorithm.bytes) === true &&
    derContent(signature, TAG.bitString)[0] === 0;
  if (!isWhole) throw malformed();
  return own?.bytes.equals(serial) === true && ownIssuer?.bytes.equals(issuer) === true;
}

function signedPart(
  attributes: DerElement | undefined,
  content: Buffer,
): Pick<SignedDocument, 'signedBytes' | 'statedDigest'> {
  if (!attributes) return { signedBytes: content, statedDigest: undefined };
  const all = derElements(attributes.content).map((attribute) => {
    const [type, values, ...rest] = derChildren(attribute, TAG.sequence);
    if (rest.length > 0) throw malformed();
    return { type: hexOf(type), values: derChildren(values, TAG.set) };
  });
  const only = (wanted: string): DerElement | undefined => {
    const found = all.filter(({ type }) => type === wanted);
    if (found.length !== 1 || found[0]?.values.length !== 1) {
      throw new DocumentError('its signed attributes are not as they have to be');
    }
    return found[0].values[0];
  };
  if (hexOf(only(OID.contentType)) !== OID.data)
    throw new DocumentError('its signed attributes are of other content');
  const statedDigest = derContent(only(OID.messageDigest), TAG.octetString);
  // They are signed as the set that they are, not with the tag that they have in the message: section 5.4.
  const signedBytes = Buffer.from(attributes.bytes);
  signedBytes[0] = TAG.set;
  return { signedBytes, statedDigest };
}

/** The identifier of an algorithm without parameters; a NULL says the same. */
function algorithmOf(element: DerElement | undefined): string {
  const [identifier, parameters, ...rest] = derChildren(element, TAG.sequence);
  const isBare = parameters === undefined || derContent(parameters, TAG.null).length === 0;
  if (!isBare || rest.length > 0) throw malformed();
  return hexOf(identifier);
}

function hexOf(identifier: DerElement | undefined): string {
  return derContent(identifier, TAG.objectIdentifier).toString('hex');
}

function requireVersion(version: DerElement | undefined): void {
  if (derContent(version, TAG.integer).toString('hex') !== VERSION_1) throw malformed();
}

function decode(text: string): Buffer {
  if (text.length > MAXIMUM_LENGTH) throw new DocumentError('it is too long');
  const der = Buffer.from(text, 'base64');
  if (der.length === 0 || der.toString('base64') !== text) throw new DocumentError('it is not base64');
  return der;
}
