import { z } from 'zod';
import { optionTypes } from '../core/index.ts';

/** `state:`, where small durable records are kept. */
export const stateOptions = z.discriminatedUnion('type', [
  z
    .strictObject({
      type: z.literal('embedded'),
      directory: optionTypes.folder.describe('Made when missing, readable by its owner only.'),
    })
    .describe('One SQLite file; for a single replica.'),
]);
export type StateOptions = z.infer<typeof stateOptions>;
