import { createHash, type Hash } from 'node:crypto';

/** A checked digest such as `sha256:9f86…`. Only {@link parseDigest} and {@link digestOf} make one. */
export type Digest = string & { readonly __digest: unique symbol };

const HEX_LENGTH_BY_ALGORITHM: Readonly<Record<string, number>> = { sha256: 64, sha512: 128 };

/**
 * Reads a digest of a registered algorithm. Anything else, other algorithms included, is undefined: a digest
 * that can't be checked is of no use to anybody.
 * @see OCI image specification, descriptor, "Digests"
 */
export function parseDigest(text: string): Digest | undefined {
  const match = /^(sha256|sha512):([0-9a-f]+)$/.exec(text);
  if (!match?.[1] || match[2]?.length !== HEX_LENGTH_BY_ALGORITHM[match[1]]) return undefined;
  return text as Digest;
}

export function digestAlgorithm(digest: Digest): 'sha256' | 'sha512' {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** The part behind the colon; safe as a file name. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

export function digestOf(bytes: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;
}

/** A running hash that ends in a comparison with one digest. */
export class DigestCheck {
  readonly #hash: Hash;

  constructor(readonly expected: Digest) {
    this.#hash = createHash(digestAlgorithm(expected));
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /** Whether all bytes given so far have the expected digest. Ends the check. */
  matches(): boolean {
    return `${digestAlgorithm(this.expected)}:${this.#hash.digest('hex')}` === this.expected;
  }
}
