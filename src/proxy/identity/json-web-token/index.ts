export { type CheckedToken, checkToken, type TokenExpectations } from './check-token.ts';
export { claimAt, claimName, groupsFrom, nameFrom, pickClaims } from './claims.ts';
export { MAXIMUM_TOKEN_LENGTH, type ReadToken, readToken } from './read-token.ts';
export { isPattern, matchesPattern } from './text-pattern.ts';
