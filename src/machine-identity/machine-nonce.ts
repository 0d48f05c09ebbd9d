const NONCE_BYTES = 32;
const NONCE = /^[A-Za-z0-9_-]{43}$/;

/**
 * A secret that a machine makes for itself and keeps. Documents that a cloud signs for a machine can be read by whoever
 * gets at them once; the first who shows one together with a nonce is the only one who can show it from then on.
 */
export function newMachineNonce(randomBytes: (size: number) => Buffer): string {
  return randomBytes(NONCE_BYTES).toString('base64url');
}

export function isMachineNonce(text: unknown): text is string {
  return typeof text === 'string' && NONCE.test(text);
}
