import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CredentialOptions, credentialOptions, tokenClaims } from '../../credentials/index.ts';
import { parseProof } from '../../machine-identity/index.ts';
import { readAttestedDocument } from '../../proxy/identity/index.ts';
import { passwordOf } from './password.ts';
import type { Probe, ProbeContext, Proof } from './probe.ts';

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

/** The nonce is made for this one question, so that nothing stays behind. */
async function lookAtAttestation({ audience, env, signal }: ProbeContext): Promise<Proof['claims']> {
  const folder = await mkdtemp(join(tmpdir(), 'drp-identity-'));
  try {
    const options = credentialOptions.parse({
      type: 'azure-attested',
      audience,
      nonceFile: join(folder, 'nonce'),
    });
    const proof = parseProof('azure-attested', await passwordOf(options, signal, env));
    return readAttestedDocument(String(proof?.document));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
