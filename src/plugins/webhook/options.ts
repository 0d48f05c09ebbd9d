import { z } from 'zod';
import { isLoopbackHost, optionTypes, parseUrl } from '../../core/index.ts';
import { concurrencyOf } from '../common-options.ts';
import { requirePair, tlsShape } from '../tls-options.ts';

/** What a verifier or provider of type `webhook` adds to the options of its kind. */
export const webhookPluginShape = {
  type: z.literal('webhook'),
  url: z
    .string()
    .refine(
      isWebhookUrl,
      'expected https://host/path, or http:// to this machine; without user name and fragment',
    )
    .describe('Where questions are posted to. Redirects are not followed.'),
  secret: optionTypes.secret
    .optional()
    .describe('Signs each request: `Drp-Signature`. Better: secretFile, or a variable of the environment.'),
  secretFile: optionTypes.file
    .optional()
    .describe('File with the secret; a line break at its end is dropped.'),
  ...tlsShape,
  concurrency: concurrencyOf(32),
};

export type WebhookPluginOptions = z.infer<z.ZodObject<typeof webhookPluginShape>>;

/** What no single option can say. */
export function checkWebhookOptions(
  options: Partial<WebhookPluginOptions>,
  context: z.core.$RefinementCtx,
): void {
  requirePair(options, context);
  if (options.secret !== undefined && options.secretFile !== undefined) {
    context.addIssue({ code: 'custom', message: 'has secret or secretFile, not both' });
  }
}

function isWebhookUrl(text: string): boolean {
  const url = parseUrl(text);
  if (!url || url.username + url.password + url.hash !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname));
}
