import { createHash, timingSafeEqual, verify, type X509Certificate } from 'node:crypto';
import { type AttestedFacts, parseAttestedFacts } from './attested-facts.ts';
import { hasChain } from './chain.ts';
import { DocumentError } from './document-error.ts';
import type { IntermediateSource } from './intermediates.ts';
import { parseSignedDocument, type SignedDocument } from './signed-document.ts';
import { isSignedFor } from './signer-name.ts';

export interface DocumentExpectations {
  readonly roots: readonly X509Certificate[];
  readonly signers: readonly string[];
  /** Of the document itself. */
  readonly nonce: string;
  readonly maximumAgeMs: number;
  readonly leewayMs: number;
}

export interface CheckDependencies {
  readonly intermediates: IntermediateSource;
  readonly now: () => number;
  /** Told of each step that was passed. */
  readonly passed?: (step: string, detail: string) => void;
}

/**
 * Checks a document of base64, in the order in which each step may rely on the one before: one signer; its chain; its name;
 * its signature; and only then what it says: nonce and age.
 * @throws {DocumentError} for a document that is not genuine, not for us, or not of now; anything else when a certificate can't
 * be had
 */
export async function checkDocument(
  text: string,
  expectations: DocumentExpectations,
  { intermediates, now, passed = () => undefined }: CheckDependencies,
): Promise<AttestedFacts> {
  const document = parseSignedDocument(text);
  const { certificate } = document;
  passed('signer', `one: ${oneLine(certificate.subject)}`);
  // Before anything is fetched, too: whose name is not right needs no chain.
  requireName(certificate, expectations);
  passed('name', expectations.signers.join(', '));
  const issuers = await intermediates.issuersOf(certificate);
  if (!hasChain(certificate, issuers, expectations.roots, now())) {
    throw new DocumentError('the certificate of its signer does not lead to a trusted root');
  }
  passed('chain', `issued by ${oneLine(certificate.issuer)}, under a trusted root`);
  requireSignature(document);
  passed('signature', 'RSA with SHA-256');
  const facts = parseAttestedFacts(document.content);
  if (!isSame(facts.nonce, expectations.nonce)) {
    throw new DocumentError(
      'its nonce is another: it was made for another audience, or with the nonce of another machine',
    );
  }
  passed('nonce', 'for this audience, and of the machine that shows it');
  requireAge(facts, expectations, now());
  passed(
    'age',
    `made ${new Date(facts.createdAt).toISOString()}, ends ${new Date(facts.expiresAt).toISOString()}`,
  );
  return facts;
}

function requireName(certificate: X509Certificate, { signers }: DocumentExpectations): void {
  if (!isSignedFor(certificate, signers)) {
    throw new DocumentError(`the certificate of its signer is not for ${signers.join(' or ')}`);
  }
}

function requireSignature({
  certificate,
  content,
  signedBytes,
  statedDigest,
  signature,
}: SignedDocument): void {
  const digest = createHash('sha256').update(content).digest();
  const isWhole = statedDigest === undefined || statedDigest.equals(digest);
  const { publicKey } = certificate;
  if (
    !isWhole ||
    publicKey.asymmetricKeyType !== 'rsa' ||
    !verify('sha256', signedBytes, publicKey, signature)
  ) {
    throw new DocumentError('its signature is wrong');
  }
}

function requireAge(
  { createdAt, expiresAt }: AttestedFacts,
  { maximumAgeMs, leewayMs }: DocumentExpectations,
  now: number,
): void {
  if (createdAt > now + leewayMs) throw new DocumentError('it is of a time that has not come yet');
  if (expiresAt < now - leewayMs) throw new DocumentError('it has expired');
  if (now - createdAt > maximumAgeMs + leewayMs) throw new DocumentError('it is too old');
}

function oneLine(name: string): string {
  return name.replaceAll('\n', ', ');
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
