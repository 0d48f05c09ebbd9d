import { z } from 'zod';

/** `cache:`, where content is kept. */
export const cacheOptions = z.discriminatedUnion('type', [
  z
    .strictObject({ type: z.literal('none') })
    .describe('Nothing is kept; every request goes to its upstream.'),
]);
export type CacheOptions = z.infer<typeof cacheOptions>;
