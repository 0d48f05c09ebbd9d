import { z } from 'zod';
import { optionTypes } from '../core/index.ts';

/** A login is given up after 10 s, whatever its verifier allows itself. */
const LONGEST_LOGIN_MS = 9000;
const LONGEST_MS = 60_000;

/** The time for an answer of a verifier. */
export const verifierTimeout = optionTypes.duration
  .refine((ms) => ms > 0 && ms <= LONGEST_LOGIN_MS, 'expected more than 0s and at most 9s')
  .prefault('5s')
  .describe('Until the whole answer is there, its wait for others included. At most 9s.');

/** The time for an answer of a provider. */
export const providerTimeout = optionTypes.duration
  .refine((ms) => ms > 0 && ms <= LONGEST_MS, 'expected more than 0s and at most 60s')
  .prefault('5s')
  .describe('Until the whole answer is there, its wait for others included. At most 60s.');

export function concurrencyOf(fallback: number) {
  return z
    .int()
    .min(1)
    .max(1000)
    .default(fallback)
    .describe('At most so many questions at once; 256 more may wait.');
}
