import { z } from 'zod';
import { optionTypes, parseUrl } from '../../core/index.ts';
import { credentialOptions } from '../../credentials/index.ts';

const origin = z
  .string()
  .refine(isOrigin, 'expected an origin such as https://auth.example.com, without a path');

/** One entry of `upstreams:`. Exactly one of `url` and `layout` says what it is. */
export const upstreamOptions = z
  .strictObject({
    url: z
      .string()
      .refine(isRegistryUrl, 'expected https://host or http://host, without path, query or user name')
      .optional()
      .describe('A registry.'),
    layout: optionTypes.folder.optional().describe('An OCI image layout on disk.'),
    credentials: credentialOptions.optional().describe('What the registry is shown; anonymous when missing.'),
    certificateAuthorityFile: optionTypes.file
      .optional()
      .describe('PEM certificates to trust for this registry, instead of the system list.'),
    realms: z
      .array(origin)
      .default([])
      .describe(
        'Token servers that may see the credential, besides the known one of a known registry and hosts of the same registrable domain. They may be private addresses.',
      ),
    redirects: z
      .array(origin)
      .default([])
      .describe('Storage that redirects may lead to although it is http or a private address.'),
    verify: z
      .boolean()
      .default(true)
      .describe('Check the digest of blobs on their way. Manifests are always checked.'),
    connectTimeout: optionTypes.duration.prefault('10s').describe('Until a connection stands.'),
    answerTimeout: optionTypes.duration.prefault('25s').describe('Until the header of an answer.'),
    progressTimeout: optionTypes.duration
      .prefault('60s')
      .describe('Between two pieces of a body; never the whole.'),
    rateLimit: z
      .strictObject({
        floor: z
          .int()
          .min(0)
          .default(10)
          .describe(
            "With fewer pulls left, by the registry's `RateLimit-Remaining`, tags are answered from what was last known where that is possible, and marked so. 0: never.",
          ),
      })
      .prefault({})
      .describe('For registries that count pulls, such as Docker Hub.'),
    connections: z.int().min(1).max(10_000).default(256).describe('At most so many at once to each host.'),
  })
  .superRefine((options, context) => {
    if ((options.url === undefined) === (options.layout === undefined)) {
      context.addIssue({ code: 'custom', message: 'needs exactly one of url and layout' });
    }
    if (options.layout !== undefined && options.credentials !== undefined) {
      context.addIssue({ code: 'custom', path: ['credentials'], message: 'a layout takes no credentials' });
    }
  });
export type UpstreamOptions = z.infer<typeof upstreamOptions>;

function isRegistryUrl(text: string): boolean {
  const url = parseUrl(text);
  return (
    url !== undefined &&
    (url.protocol === 'https:' || url.protocol === 'http:') &&
    url.username + url.password + url.search + url.hash === '' &&
    url.pathname === '/'
  );
}

function isOrigin(text: string): boolean {
  return isRegistryUrl(text) && parseUrl(text)?.origin === text.toLowerCase().replace(/\/$/, '');
}
