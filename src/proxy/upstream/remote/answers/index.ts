export { type RetryDependencies, withRetries } from './retries.ts';
export { retryAfterMs } from './retry-after.ts';
export { readSmallAnswer, type SmallAnswer } from './small-answer.ts';
export { isRedirect, statusError } from './status.ts';
