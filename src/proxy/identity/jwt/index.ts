export { createJwtVerifier, type JwtDependencies } from './jwt-verifier.ts';
export { audienceOption, type JwtVerifierOptions, jwtVerifierOptions, tokenTimeOptions } from './options.ts';
