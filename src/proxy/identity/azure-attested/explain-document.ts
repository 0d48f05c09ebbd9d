import type { Clock, Secret } from '../../../core/index.ts';
import { attestationNonce, parseAttestedProof } from '../../../machine-identity/index.ts';
import { parseAttestedFacts } from './attested-facts.ts';
import { intermediateSource, rootsOf } from './attested-verifier.ts';
import { checkDocument } from './check-document.ts';
import type { AzureAttestedVerifierOptions } from './options.ts';
import { parseSignedDocument } from './signed-document.ts';

/**
 * Goes through the checks of a document and names each that was passed.
 * @throws {DocumentError} at the first that was not
 */
export async function explainDocument(
  options: AzureAttestedVerifierOptions,
  password: Secret,
  clock: Clock,
  passed: (step: string, detail: string) => void,
): Promise<void> {
  const proof = parseAttestedProof(password);
  if (!proof) return;
  const intermediates = intermediateSource(options, { clock });
  try {
    const expectations = {
      roots: rootsOf(options),
      signers: options.signers,
      nonce: attestationNonce(proof.nonce, options.audience),
      maximumAgeMs: options.maximumAge,
      leewayMs: options.leeway,
    };
    await checkDocument(proof.document, expectations, { intermediates, now: () => clock.now(), passed });
  } finally {
    await intermediates.close();
  }
}

/**
 * What a document says, of which nothing is checked.
 * @throws {DocumentError} for what is no document
 */
export function readAttestedDocument(text: string): Readonly<Record<string, unknown>> {
  const { subscriptionId, vmId, sku, createdAt, expiresAt } = parseAttestedFacts(
    parseSignedDocument(text).content,
  );
  return {
    subscriptionId,
    vmId,
    ...(sku !== undefined && sku !== '' && { sku }),
    createdOn: new Date(createdAt).toISOString(),
    expiresOn: new Date(expiresAt).toISOString(),
  };
}
