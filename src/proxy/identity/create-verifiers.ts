import type { Clock } from '../../core/index.ts';
import type { Logger } from '../../telemetry/index.ts';
import { createHtpasswdVerifier } from './htpasswd-verifier.ts';
import { createMtlsVerifier } from './mtls/index.ts';
import type { AuthenticationOptions, VerifierOptions } from './options.ts';
import type { Verifier } from './verifier.ts';

export interface VerifierDependencies {
  readonly clock: Clock;
  readonly log: Logger;
}

/** A verifier whose options can't be used. */
export class VerifierError extends Error {
  constructor(
    /** Place in `authentication.verifiers`, from 0. */
    readonly verifierIndex: number,
    /** The verifier's name. */
    readonly verifier: string,
    cause: unknown,
  ) {
    super(`verifier ${verifier}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'VerifierError';
  }
}

/**
 * Makes the verifiers of `authentication.verifiers`, in order.
 * @throws {VerifierError} for the first that can't be made; the earlier ones are closed
 */
export function createVerifiers(
  options: AuthenticationOptions,
  dependencies: VerifierDependencies,
): Verifier[] {
  const verifiers: Verifier[] = [];
  for (const [index, verifier] of options.verifiers.entries()) {
    try {
      verifiers.push(createVerifier(verifier, dependencies));
    } catch (error) {
      for (const made of verifiers) made.close().catch(() => undefined);
      throw new VerifierError(index, verifier.name, error);
    }
  }
  return verifiers;
}

function createVerifier(options: VerifierOptions, dependencies: VerifierDependencies): Verifier {
  switch (options.type) {
    case 'htpasswd':
      return createHtpasswdVerifier(options, dependencies);
    case 'mtls':
      return createMtlsVerifier(options, dependencies);
  }
}
