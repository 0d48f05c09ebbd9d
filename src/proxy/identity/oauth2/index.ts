export { createOAuth2Verifier, type OAuth2Dependencies } from './oauth2-verifier.ts';
export { type OAuth2VerifierOptions, oauth2VerifierOptions } from './options.ts';
