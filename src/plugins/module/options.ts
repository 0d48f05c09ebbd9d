import { z } from 'zod';
import { optionTypes } from '../../core/index.ts';
import { concurrencyOf } from '../common-options.ts';

/** What a verifier or provider of type `module` adds to the options of its kind. */
export const modulePluginShape = {
  type: z.literal('module'),
  file: optionTypes.file.describe(
    'An ES module. It runs in a thread of its own and may do whatever the proxy may; a changed file is loaded anew.',
  ),
  options: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('Handed over to the module as it stands here.'),
  concurrency: concurrencyOf(32),
};

export type ModulePluginOptions = z.infer<z.ZodObject<typeof modulePluginShape>>;
