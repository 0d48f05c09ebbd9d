import { z } from 'zod';
import { credentialOptions } from '../../credentials/index.ts';
import { PatternError } from '../../oci/index.ts';
import { type ImagePattern, parseImagePattern } from './image-pattern.ts';

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

/** What every rule says: which images, and where their credential comes from. */
export const imageRule = {
  images: z
    .array(imagePattern)
    .min(1)
    .describe(
      'Registry and repository: `docker.example.com/**`, `*.dkr.ecr.*.amazonaws.com/team/*`. `*` is one segment, `**` any number.',
    ),
  provider: credentialOptions.describe('Where the credential comes from.'),
};

/** A check for a list of rules: no pattern stands in it twice. */
export function eachPatternOnce(
  rules: readonly { readonly images: readonly ImagePattern[] }[],
  context: z.RefinementCtx,
): void {
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
}
