import { z } from 'zod';
import { optionTypes } from '../core/index.ts';

const username = z.string().regex(/^[^:]+$/, 'expected a user name without a colon');

/** `type: kubernetes`. */
export const kubernetesTokenOptions = z
  .strictObject({
    type: z.literal('kubernetes'),
    tokenFile: optionTypes.file
      .optional()
      .describe(
        "A projected service account token, for the proxy's audience; read anew each time. Not needed where kubelet hands the pod's own token over.",
      ),
    username: username.default('_kubernetes'),
  })
  .describe(
    'The token of a Kubernetes service account, to log in to a proxy with a verifier of type `kubernetes`.',
  );
export type KubernetesTokenOptions = z.infer<typeof kubernetesTokenOptions>;

/** `type: token-file`. */
export const tokenFileOptions = z
  .strictObject({
    type: z.literal('token-file'),
    tokenFile: optionTypes.file.describe('A token that somebody else renews; read anew each time.'),
    username,
  })
  .describe('Any token in a file, such as that of a CI run or a SPIFFE JWT-SVID, as the password.');
export type TokenFileOptions = z.infer<typeof tokenFileOptions>;
