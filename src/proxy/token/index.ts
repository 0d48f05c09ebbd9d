export { createTokenService, type TokenServiceDependencies } from './create-token-service.ts';
export { type TokenOptions, tokenOptions } from './options.ts';
export { createSecretKeys } from './secret-keys.ts';
export { loadOrCreateSigningKeys } from './signing-key-file.ts';
export { parseSigningKeys, type SigningKey, SigningKeyError, type SigningKeys } from './signing-keys.ts';
export type { Bearer, IssuedToken, TokenOutcome, TokenRequest, TokenService } from './token-service.ts';
