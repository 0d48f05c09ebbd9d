import { createHmac } from 'node:crypto';
import type { Secret } from '../../core/index.ts';

/** The name of the header that a signed request carries. */
export const SIGNATURE_HEADER = 'drp-signature';

/**
 * `t=SECONDS,v1=HEX`: the time of signing, and HMAC-SHA256 over `SECONDS.BODY`. Further fields may be added; whoever
 * checks it looks for `v1`, compares in constant time, and refuses what is older than a few minutes.
 */
export function signatureOf(body: string, secret: Secret, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1000);
  const digest = createHmac('sha256', secret.reveal()).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${digest}`;
}
