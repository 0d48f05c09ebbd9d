import { type CredentialOptions, credentialOptions, tokenClaims } from '../../credentials/index.ts';
import { parseAttestedProof } from '../../machine-identity/index.ts';
import { readAttestedDocument } from '../../proxy/identity/index.ts';
import { passwordOf } from './password.ts';
import type { Probe, ProbeContext, Proof } from './probe.ts';
import { withThrowawayNonce } from './throwaway-nonce.ts';

/** Google's and Azure's own proofs. */
export const CLOUD_PROBES: readonly Probe[] = [
  {
    verifier: 'gcp',
    source: "Google's metadata server",
    look: ({ audience, env, signal }) =>
      // What a key file could prove is not the machine's own.
      tokenOf(credentialOptions.parse({ type: 'gcp', audience }), signal, {
        ...env,
        GOOGLE_APPLICATION_CREDENTIALS: '',
      }),
  },
  {
    verifier: 'azure',
    source: "Azure's managed identity",
    look: ({ audience, env, signal }) =>
      tokenOf(credentialOptions.parse({ type: 'azure', audience }), signal, env),
  },
  { verifier: 'azure-attested', source: "Azure's attested document", look: lookAtAttestation },
];

async function tokenOf(
  options: CredentialOptions,
  signal: AbortSignal,
  env: ProbeContext['env'],
): Promise<Proof['claims']> {
  const claims = tokenClaims((await passwordOf(options, signal, env)).reveal());
  if (!claims) throw new Error('the answer is no token');
  return claims;
}

async function lookAtAttestation({ audience, env, signal }: ProbeContext): Promise<Proof['claims']> {
  return withThrowawayNonce(async (nonceFile) => {
    const options = credentialOptions.parse({ type: 'azure-attested', audience, nonceFile });
    const proof = parseAttestedProof(await passwordOf(options, signal, env));
    if (!proof) throw new Error('the answer is no signed document');
    return readAttestedDocument(proof.document);
  });
}
