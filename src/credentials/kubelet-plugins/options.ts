import { z } from 'zod';
import { optionTypes } from '../../core/index.ts';

export const kubeletPluginsOptions = z
  .strictObject({
    type: z.literal('kubelet-plugins'),
    configFile: optionTypes.file.describe(
      "kubelet's CredentialProviderConfig, what its `--image-credential-provider-config` names.",
    ),
    binaryDirectory: optionTypes.folder.describe(
      "The folder with the plugins, as in kubelet's `--image-credential-provider-bin-dir`.",
    ),
  })
  .describe('Credential provider plugins of kubelet, such as ecr-credential-provider.');
export type KubeletPluginsOptions = z.infer<typeof kubeletPluginsOptions>;
