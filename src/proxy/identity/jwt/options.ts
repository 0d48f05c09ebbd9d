import { z } from 'zod';
import { isSafeServiceUrl, optionTypes } from '../../../core/index.ts';
import { commonVerifierOptions } from '../common-options.ts';
import { claimName, isPattern } from '../json-web-token/index.ts';
import { keySetOptions } from '../key-sets/index.ts';

const audience = z
  .string()
  .min(1)
  .describe('A token has to be made for it: one of them is its `aud`, or in it. Exact.');

const claimValue = z.union([z.string(), z.number(), z.boolean()]);

export const audienceOption = z
  .union([audience, z.array(audience).min(1)])
  .transform((value) => (typeof value === 'string' ? [value] : value))
  .meta({ title: 'Text or list', description: audience.description });

export const tokenTimeOptions = {
  leeway: optionTypes.duration
    .prefault('60s')
    .refine((milliseconds) => milliseconds <= 300_000, 'at most 5m')
    .describe("How far the issuer's clock may be off."),
  maximumAge: optionTypes.duration
    .optional()
    .describe('Oldest token that is taken, by the time it was issued; it has to be unexpired in any case.'),
};

/** `type: jwt`. */
export const jwtVerifierOptions = z
  .strictObject({
    type: z.literal('jwt'),
    ...commonVerifierOptions,
    issuer: z
      .string()
      .min(1)
      .max(1024)
      .optional()
      .describe('`iss` of the tokens, exact. Its keys are found by OpenID Connect discovery.'),
    ...keySetOptions,
    audience: audienceOption,
    ...tokenTimeOptions,
    subjects: z
      .array(z.string().refine(isPattern, 'expected a pattern such as spiffe://example.org/**'))
      .min(1)
      .optional()
      .describe('Patterns for `sub`, of which one has to match: `*` within a segment, `**` across them.'),
    requiredClaims: z
      .record(claimName, z.union([claimValue, z.array(claimValue).min(1)]))
      .default({})
      .describe('Claims by name, with the value that each has to have, or a list of values. Exact.'),
    nameClaim: claimName.default('sub').describe('The claim that becomes `identity.name`.'),
    groupsClaim: claimName
      .optional()
      .describe('The claim that becomes `identity.groups`: a list of texts, or one.'),
    claims: z
      .array(claimName)
      .max(50)
      .default([])
      .describe('Claims that rules see in `identity.claims`, under these names.'),
  })
  .superRefine((options, context) => {
    const { issuer, jwksUrl, jwksFile } = options;
    if (jwksUrl !== undefined && jwksFile !== undefined) {
      context.addIssue({ code: 'custom', path: ['jwksFile'], message: 'takes no jwksUrl beside it' });
    }
    if (jwksUrl !== undefined || jwksFile !== undefined) return;
    if (issuer === undefined) {
      context.addIssue({ code: 'custom', message: 'needs an issuer, or its keys by jwksUrl or jwksFile' });
    } else if (!isSafeServiceUrl(issuer) || issuer.includes('?')) {
      context.addIssue({
        code: 'custom',
        path: ['issuer'],
        message: 'has to be an https URL to find its keys by; or name them with jwksUrl or jwksFile',
      });
    }
  })
  .describe(
    'Tokens of an issuer, such as GitHub Actions, GitLab CI, Buildkite or SPIFFE, shown as the password.',
  );
export type JwtVerifierOptions = z.infer<typeof jwtVerifierOptions>;
