import { z } from 'zod';
import { credentialOptions } from '../../../credentials/index.ts';
import { PatternError } from '../../../oci/index.ts';
import { type ImagePattern, parseImagePattern } from './image-pattern.ts';

/** Whose credential is tried first, and whether the other's is tried at all. */
export const CREDENTIAL_ORDERS = ['kubelet-first', 'provider-first', 'provider-only'] as const;
export type CredentialOrder = (typeof CREDENTIAL_ORDERS)[number];

/** A pattern over images in a configuration. */
export const imagePattern = z
  .string()
  .transform((text, context): ImagePattern => {
    try {
      return parseImagePattern(text);
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  })
  .meta({ title: 'Image pattern' });

const rule = z.strictObject({
  images: z
    .array(imagePattern)
    .min(1)
    .describe(
      'Registry and repository: `docker.example.com/**`, `*.dkr.ecr.*.amazonaws.com/team/*`. `*` is one segment, `**` any number.',
    ),
  provider: credentialOptions.describe('Where the credential comes from.'),
  order: z
    .enum(CREDENTIAL_ORDERS)
    .default('kubelet-first')
    .describe(
      'Whose credential is tried first. `provider-only` never shows what kubelet has, and pulls nothing when the provider fails.',
    ),
});

/** `credentials:` of the image service. The longest pattern that matches an image decides. */
export const pullCredentialOptions = z
  .array(rule)
  .superRefine((rules, context) => {
    const seen = new Set<string>();
    for (const [index, { images }] of rules.entries()) {
      for (const [at, { canonical, text }] of images.entries()) {
        if (seen.has(canonical)) {
          context.addIssue({
            code: 'custom',
            path: [index, 'images', at],
            message: `${text} stands here twice; each pattern has one provider`,
          });
        }
        seen.add(canonical);
      }
    }
  })
  .default([]);
export type PullCredentialOptions = z.infer<typeof pullCredentialOptions>;
