import { z } from 'zod';
import { optionTypes } from '../../../core/index.ts';
import { commonVerifierOptions } from '../common-options.ts';

const guid = z
  .guid('expected an id such as 11111111-2222-3333-4444-555555555555')
  .transform((id) => id.toLowerCase());

/** `type: azure-attested`. */
export const azureAttestedVerifierOptions = z
  .strictObject({
    type: z.literal('azure-attested'),
    ...commonVerifierOptions,
    audience: z
      .string()
      .min(1)
      .describe(
        'Goes into the nonce of the documents: one that was made for another service is refused. Exact.',
      ),
    subscriptions: z
      .array(guid)
      .describe('Subscriptions whose machines are let in. An empty list lets in nobody.'),
    virtualMachines: z
      .array(guid)
      .optional()
      .describe('Ids of virtual machines (`vmId`) that are let in, where not all of the subscriptions are.'),
    signers: z
      .array(z.string().regex(/^(?:[a-z0-9-]+\.)+[a-z]+$/, 'expected a host name in lower case'))
      .min(1)
      .default(['metadata.azure.com'])
      .describe(
        'Names that the certificate of the signer has to be for, or for one below: `metadata.azure.us`, `metadata.azure.cn` in sovereign clouds.',
      ),
    rootsFile: optionTypes.file
      .optional()
      .describe(
        "PEM certificates that the signer's chain has to end in; by default the four roots of DigiCert (Global G2, G3) and Microsoft (RSA, ECC 2017) that Azure uses.",
      ),
    intermediatesFile: optionTypes.file
      .optional()
      .describe(
        'PEM certificates between signer and root. With it nothing is fetched; without it, they are fetched from www.microsoft.com.',
      ),
    maximumAge: optionTypes.duration
      .prefault('15m')
      .describe(
        'Oldest document that is taken, by the time it was made; it has to be unexpired in any case.',
      ),
    leeway: optionTypes.duration
      .prefault('60s')
      .refine((milliseconds) => milliseconds <= 300_000, 'at most 5m')
      .describe("How far Azure's clock may be off."),
    keepBinding: optionTypes.duration
      .prefault('30d')
      .describe('How long a machine stays bound to its nonce after its last login.'),
    rebind: z
      .boolean()
      .default(false)
      .describe(
        'Whether a machine may come with another nonce, after its disk was made anew. Whoever gets a program on it to ask its metadata service can then take its place.',
      ),
  })
  .describe('Documents that Azure signs for a virtual machine, shown as the password.');
export type AzureAttestedVerifierOptions = z.infer<typeof azureAttestedVerifierOptions>;
