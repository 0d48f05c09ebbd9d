import { z } from 'zod';
import { ACTIONS } from './policy.ts';

/** One entry of `authorization.rules`. */
export const ruleOptions = z.strictObject({
  name: z.string().min(1).max(200).describe('The audit log names the rule that granted.'),
  when: z
    .string()
    .min(1)
    .optional()
    .describe('A CEL expression over `identity` (verifier, name, groups, claims). Missing: everybody.'),
  repositories: z
    .array(z.string().min(1))
    .describe(
      'Patterns over names as clients ask for them: `*` is one segment, `**` any number. `a/**` is all below `a`, not `a`.',
    ),
  actions: z.array(z.enum(ACTIONS)).describe('What is granted.'),
});
export type RuleOptions = z.infer<typeof ruleOptions>;

/** `authorization:`. Nothing is allowed that no rule grants. */
export const authorizationOptions = z.strictObject({
  rules: z
    .array(ruleOptions)
    .default([])
    .superRefine((rules, context) => {
      for (const [index, { name }] of rules.entries()) {
        if (rules.findIndex((other) => other.name === name) < index) {
          context.addIssue({
            code: 'custom',
            path: [index, 'name'],
            message: `${name} is taken by an earlier rule`,
          });
        }
      }
    }),
});
export type AuthorizationOptions = z.infer<typeof authorizationOptions>;
