import { z } from 'zod';
import { optionTypes } from '../core/index.ts';

/** How every account gives its password. */
export const passwordShape = {
  password: optionTypes.secret.optional().describe('Better: passwordFile, or a variable of the environment.'),
  passwordFile: optionTypes.file
    .optional()
    .describe('File with the password; a line break at its end is dropped.'),
};

interface PasswordOptions {
  readonly password?: unknown;
  readonly passwordFile?: unknown;
}

export function hasOnePassword({ password, passwordFile }: PasswordOptions): boolean {
  return (password === undefined) !== (passwordFile === undefined);
}

export const ONE_PASSWORD = { error: 'needs exactly one of password and passwordFile' };

const dockerHub = z
  .strictObject({
    type: z.literal('dockerhub'),
    username: z
      .string()
      .regex(
        /^[a-z0-9][a-z0-9_-]*$/,
        'expected a Docker ID or the name of an organization in lower case, not an e-mail address',
      )
      .describe('A Docker ID; for an organization access token, the name of the organization.'),
    ...passwordShape,
  })
  .refine(hasOnePassword, ONE_PASSWORD)
  .describe('Docker Hub: a personal or an organization access token, or a password.');

const quay = z
  .strictObject({
    type: z.literal('quay'),
    username: z
      .string()
      .regex(
        /^(?:[a-z0-9][a-z0-9._-]*\+[a-z0-9][a-z0-9._-]*|\$oauthtoken)$/,
        'expected a robot account such as acme+puller: the organization or user, a plus sign, the name',
      )
      .describe('A robot account, `organization+name`; or `$oauthtoken` for an OAuth token.'),
    ...passwordShape,
  })
  .refine(hasOnePassword, ONE_PASSWORD)
  .describe('Quay: a robot account and its token.');

const gitLab = z
  .strictObject({
    type: z.literal('gitlab'),
    username: z
      .string()
      .regex(/^[^:]+$/, 'expected a user name without a colon')
      .optional()
      .describe(
        'Required for a deploy token (`gitlab+deploy-token-1`, or the name given to it). Personal, group, project and job tokens need none.',
      ),
    ...passwordShape,
  })
  .refine(hasOnePassword, ONE_PASSWORD)
  .describe('GitLab: a deploy token, or a personal, group, project or job token.');

const harbor = z
  .strictObject({
    type: z.literal('harbor'),
    username: z
      .string()
      .regex(/^[^:]+$/, 'expected a user name without a colon')
      .describe(
        "A robot account with its prefix, `robot$name` or `robot$project+name`. In a shell, write it in ''.",
      ),
    robotPrefix: z
      .string()
      .min(1)
      .default('robot$')
      .describe('What the names of robots begin with, as set in Harbor.'),
    ...passwordShape,
  })
  .refine(({ username, robotPrefix }) => username.startsWith(robotPrefix), {
    path: ['username'],
    error:
      "expected the whole name of a robot account, such as robot$puller; if the prefix is missing, a shell may have taken $… for a variable: write it in ''",
  })
  .refine(hasOnePassword, ONE_PASSWORD)
  .describe('Harbor: a robot account and its secret.');

/** Accounts that last, of registries that name them in ways of their own. */
export const accountOptions = [dockerHub, quay, gitLab, harbor] as const;

export type AccountOptions = z.infer<(typeof accountOptions)[number]>;
