import { z } from 'zod';
import { eachPatternOnce, imageRule } from '../../image-rules/index.ts';

/** Whose credential is tried first, and whether the other's is tried at all. */
export const CREDENTIAL_ORDERS = ['kubelet-first', 'provider-first', 'provider-only'] as const;
export type CredentialOrder = (typeof CREDENTIAL_ORDERS)[number];

const rule = z.strictObject({
  ...imageRule,
  order: z
    .enum(CREDENTIAL_ORDERS)
    .default('kubelet-first')
    .describe(
      'Whose credential is tried first. `provider-only` never shows what kubelet has, and pulls nothing when the provider fails.',
    ),
});

/** `credentials:` of the image service. The longest pattern that matches an image decides. */
export const pullCredentialOptions = z.array(rule).superRefine(eachPatternOnce).default([]);
export type PullCredentialOptions = z.infer<typeof pullCredentialOptions>;
