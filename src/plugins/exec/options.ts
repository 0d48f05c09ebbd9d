import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { concurrencyOf } from '../common-options.ts';

/** What a verifier or provider of type `exec` adds to the options of its kind. */
export const execPluginShape = {
  type: z.literal('exec'),
  command: z
    .array(z.string().refine((text) => !text.includes('\0'), 'holds a NUL'))
    .min(1)
    .refine(([path = '']) => isAbsolute(path), 'begins with the absolute path of a program')
    .describe(
      'The absolute path of the program, then its arguments. No shell is involved. Arguments can be seen by everybody on the machine: no secrets here.',
    ),
  environment: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of a variable'))
    .default([])
    .describe(
      'Names of the variables that are handed on to the program. It sees no others, besides a fixed PATH.',
    ),
  concurrency: concurrencyOf(8),
};

export type ExecPluginOptions = z.infer<z.ZodObject<typeof execPluginShape>>;
