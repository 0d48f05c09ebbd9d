export {
  createOidcVerifier,
  isOidcVerifier,
  type OidcDependencies,
  type OidcVerifier,
} from './oidc-verifier.ts';
export { type OidcVerifierOptions, oidcVerifierOptions } from './options.ts';
export type { Person } from './people.ts';
export {
  type CreatedToken,
  MAXIMUM_TOKEN_NAME_LENGTH,
  MAXIMUM_TOKENS,
  type TokenSummary,
} from './personal-tokens.ts';
export type { SignInChecks } from './provider.ts';
export { createSealedBox, type SealedBox, type SecretKeys } from './sealed-box.ts';
export type { SignedIn, SignIn, SignInAdvice } from './sign-in.ts';
