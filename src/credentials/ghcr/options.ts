import { z } from 'zod';
import { optionTypes, parseUrl } from '../../core/index.ts';
import { hasOnePassword, passwordShape } from '../account-options.ts';

const app = z.strictObject({
  id: z
    .union([z.int().min(1).transform(String), z.string().regex(/^[A-Za-z0-9.]+$/)])
    .describe('The client ID or the app ID.'),
  installation: z.int().min(1).describe('The number of the installation: the end of its address in GitHub.'),
  privateKeyFile: optionTypes.file.describe('The private key as GitHub gives it: RSA, PEM.'),
  apiUrl: z
    .string()
    .refine(isApiUrl, 'expected https://host or https://host/path (http for this machine alone)')
    .default('https://api.github.com')
    .describe('For GitHub Enterprise Server: https://github.example.com/api/v3.'),
  certificateAuthorityFile: optionTypes.file
    .optional()
    .describe('PEM certificates to trust for the API, instead of the system list.'),
});

/** `type: ghcr` */
export const ghcrOptions = z
  .strictObject({
    type: z.literal('ghcr'),
    username: z
      .string()
      .regex(/^[^:]+$/, 'expected a user name without a colon')
      .optional()
      .describe('GitHub looks at the token alone; any name will do, and this may be left out.'),
    ...passwordShape,
    app: app.optional().describe('A GitHub App in place of a personal access token: tokens of one hour.'),
  })
  .refine((options) => (options.app === undefined) === hasOnePassword(options), {
    error: 'needs exactly one of password, passwordFile and app',
  })
  .refine((options) => options.app === undefined || (!options.password && !options.passwordFile), {
    error: 'needs exactly one of password, passwordFile and app',
  })
  .describe('GitHub Packages (ghcr.io): a personal access token (classic), or a GitHub App.');
export type GhcrOptions = z.infer<typeof ghcrOptions>;
export type GitHubAppOptions = z.infer<typeof app>;

function isApiUrl(text: string): boolean {
  const url = parseUrl(text);
  if (!url || url.username + url.password + url.search + url.hash !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isThisMachine(url.hostname));
}

function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
