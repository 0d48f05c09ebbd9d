import { z } from 'zod';
import { eachPatternOnce, imageRule } from '../image-rules/index.ts';

const ofTheImageService = z
  .unknown()
  .describe('Of the image service, and not looked at here: one file may serve both.')
  .optional();

const rule = z.strictObject({ ...imageRule, order: ofTheImageService });

/** The configuration file of `drp credential-provider`; that of the image service will do. */
export const credentialProviderOptions = z.strictObject({
  credentials: z
    .array(rule)
    .min(1)
    .superRefine(eachPatternOnce)
    .describe('The longest pattern that matches an image decides.'),
  socket: ofTheImageService,
  backend: ofTheImageService,
  adminAddress: ofTheImageService,
  adminSocket: ofTheImageService,
  timeouts: ofTheImageService,
  log: ofTheImageService,
});
export type CredentialProviderOptions = z.infer<typeof credentialProviderOptions>;
