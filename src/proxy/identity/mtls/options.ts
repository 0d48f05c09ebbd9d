import { z } from 'zod';
import { optionTypes } from '../../../core/index.ts';
import { commonVerifierOptions } from '../common-options.ts';

/** `type: mtls` */
export const mtlsVerifierOptions = z
  .strictObject({
    type: z.literal('mtls'),
    name: commonVerifierOptions.name,
    certificateAuthorityFile: optionTypes.file.describe(
      'PEM. A client certificate has to be issued by one of these, intermediates included.',
    ),
    nameFrom: z
      .enum(['commonName', 'dns', 'email', 'uri'])
      .default('commonName')
      .describe(
        'Which part of the certificate is the name: of the subject, or its only alternative name of that kind. SPIFFE IDs are `uri`.',
      ),
  })
  .describe('Client certificates. Organizational units become groups.');
export type MtlsVerifierOptions = z.infer<typeof mtlsVerifierOptions>;
