import { z } from 'zod';
import { LOG_LEVELS } from './log.ts';

/** `log:`, what is written to standard output. */
export const logOptions = z.strictObject({
  level: z.enum(LOG_LEVELS).default('info').describe('Audit lines are written at every level.'),
});
export type LogOptions = z.infer<typeof logOptions>;
