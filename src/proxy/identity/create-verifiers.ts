import type { Clock } from '../../core/index.ts';
import type { StateStore } from '../../state/index.ts';
import type { Logger } from '../../telemetry/index.ts';
import { createDocumentVerifier, createStsVerifier } from './aws/index.ts';
import { createAzureVerifier } from './azure/index.ts';
import { createAzureAttestedVerifier } from './azure-attested/index.ts';
import { createGcpVerifier } from './gcp/index.ts';
import { createHtpasswdVerifier } from './htpasswd-verifier.ts';
import { createJwtVerifier } from './jwt/index.ts';
import { createKubernetesVerifier } from './kubernetes/index.ts';
import { createLdapVerifier } from './ldap/index.ts';
import { createMtlsVerifier } from './mtls/index.ts';
import { createOAuth2Verifier } from './oauth2/index.ts';
import { createOidcVerifier, type SecretKeys } from './oidc/index.ts';
import type { AuthenticationOptions, VerifierOptions } from './options.ts';
import { createPluginVerifier } from './plugin/index.ts';
import type { Verifier } from './verifier.ts';

export interface VerifierDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  readonly state: StateStore;
  readonly secretKeys: SecretKeys;
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
    case 'ldap':
      return createLdapVerifier(options, dependencies);
    case 'mtls':
      return createMtlsVerifier(options, dependencies);
    case 'oidc':
      return createOidcVerifier(options, dependencies);
    case 'jwt':
      return createJwtVerifier(options, dependencies);
    case 'kubernetes':
      return createKubernetesVerifier(options, dependencies);
    case 'oauth2':
      return createOAuth2Verifier(options, dependencies);
    case 'aws-sts':
      return createStsVerifier(options, dependencies);
    case 'aws-iid':
      return createDocumentVerifier(options, dependencies);
    case 'gcp':
      return createGcpVerifier(options, dependencies);
    case 'azure':
      return createAzureVerifier(options, dependencies);
    case 'azure-attested':
      return createAzureAttestedVerifier(options, dependencies);
    case 'module':
    case 'grpc':
    case 'exec':
    case 'webhook':
      return createPluginVerifier(options, dependencies);
  }
}
