import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { optionTypes } from '../../core/index.ts';

/** `type: docker-config` */
export const dockerConfigOptions = z
  .strictObject({
    type: z.literal('docker-config'),
    file: optionTypes.file.describe('A config.json as `docker login` writes it.'),
    helperDirectories: z
      .array(z.string().refine(isAbsolute, 'expected an absolute path'))
      .optional()
      .describe('Where credential helpers (`docker-credential-NAME`) are looked for; else the PATH.'),
    helperEnvironment: z
      .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of a variable'))
      .default([])
      .describe(
        'Names of variables that are handed on to helpers. They see no others, besides PATH and HOME.',
      ),
  })
  .describe(
    "The credential that Docker's configuration file, or a helper it names, has for the upstream's host.",
  );
export type DockerConfigOptions = z.infer<typeof dockerConfigOptions>;
