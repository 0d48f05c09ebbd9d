import { credentialOptions } from '../../credentials/index.ts';
import { parseDocumentProof, parseStsProof } from '../../machine-identity/index.ts';
import { readIdentityDocument } from '../../proxy/identity/index.ts';
import { passwordOf } from './password.ts';
import type { Probe, ProbeContext, Proof } from './probe.ts';
import { withThrowawayNonce } from './throwaway-nonce.ts';

/** AWS's own proofs; its SDK reads the environment of the process. */
export const AWS_PROBES: readonly Probe[] = [
  { verifier: 'aws-sts', source: 'AWS credentials of this machine', look: lookAtRequest },
  { verifier: 'aws-iid', source: 'EC2 instance identity document', look: lookAtDocument },
];

/** Whose they are, only STS can say; that is asked by the proxy. */
async function lookAtRequest({ audience, env, signal }: ProbeContext): Promise<Proof['claims']> {
  const options = credentialOptions.parse({ type: 'aws-sts', audience });
  const proof = parseStsProof(await passwordOf(options, signal, env));
  if (!proof) throw new Error('there is no signed request');
  return { audience: proof.audience, region: proof.region, host: proof.host, accessKeyId: proof.key };
}

async function lookAtDocument({ env, signal }: ProbeContext): Promise<Proof['claims']> {
  return withThrowawayNonce(async (nonceFile) => {
    const options = credentialOptions.parse({ type: 'aws-iid', nonceFile });
    const proof = parseDocumentProof(await passwordOf(options, signal, env));
    const document = proof && (await readIdentityDocument(proof.pkcs7));
    if (!document) throw new Error('the answer is no signed document');
    return document;
  });
}
