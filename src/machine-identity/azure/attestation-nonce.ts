import { createHash } from 'node:crypto';
import { ATTESTED_KIND } from './attested-proof.ts';

/** What Azure's metadata service takes: letters and digits. */
const LENGTH = 32;

/**
 * The nonce that a machine has Azure sign: it stands for the machine's own nonce, which stays a secret between the two ends,
 * and for the audience. A document made for one service is of no use at another.
 */
export function attestationNonce(machineNonce: string, audience: string): string {
  return createHash('sha256')
    .update(JSON.stringify([ATTESTED_KIND, machineNonce, audience]))
    .digest('hex')
    .slice(0, LENGTH);
}
