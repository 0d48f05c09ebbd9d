export {
  type Authenticator,
  type AuthenticatorDependencies,
  createAuthenticator,
  type LoginOrigin,
  type LoginOutcome,
} from './authenticator.ts';
export {
  createDocumentVerifier,
  createStsVerifier,
  type DocumentDependencies,
  type DocumentVerifierOptions,
  type RegionCertificates,
  readIdentityDocument,
  readRegionCertificates,
  type StsDependencies,
  type StsVerifierOptions,
} from './aws/index.ts';
export { readAttestedDocument } from './azure-attested/index.ts';
export { createVerifiers, type VerifierDependencies, VerifierError } from './create-verifiers.ts';
export { type ExplainedLogin, type ExplainedStep, explainLogin } from './explain-login/index.ts';
export { HtpasswdError, parseHtpasswd } from './htpasswd-file.ts';
export { createHtpasswdVerifier, type HtpasswdDependencies } from './htpasswd-verifier.ts';
export { ANONYMOUS, anonymousIdentity, type Identity, isAnonymous } from './identity.ts';
export { createJwtVerifier, type JwtDependencies, type JwtVerifierOptions } from './jwt/index.ts';
export {
  createKubernetesVerifier,
  type KubernetesDependencies,
  type KubernetesVerifierOptions,
} from './kubernetes/index.ts';
export { createLdapVerifier, type LdapDependencies, type LdapVerifierOptions } from './ldap/index.ts';
export { addressKey, createLoginLimits, type LoginAttempt, type LoginLimits } from './login-limits.ts';
export { createOAuth2Verifier, type OAuth2Dependencies, type OAuth2VerifierOptions } from './oauth2/index.ts';
export {
  type CreatedToken,
  createSealedBox,
  isOidcVerifier,
  MAXIMUM_TOKEN_NAME_LENGTH,
  MAXIMUM_TOKENS,
  type Person,
  type SealedBox,
  type SecretKeys,
  type SignedIn,
  type SignIn,
  type SignInAdvice,
  type SignInChecks,
  type TokenSummary,
} from './oidc/index.ts';
export {
  type AuthenticationOptions,
  authenticationOptions,
  type HtpasswdVerifierOptions,
  type VerifierOptions,
} from './options.ts';
export { createPluginVerifier, type PluginVerifierOptions } from './plugin/index.ts';
export type { Outcome, ShownCredential, Verifier } from './verifier.ts';
