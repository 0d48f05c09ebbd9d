import { type Check, warn } from '../check.ts';
import type { Visit } from './visit.ts';

/** Where credentials of a type belong, for those types that belong to one place. */
const HOSTS: Readonly<Record<string, { readonly hosts: RegExp; readonly name: string }>> = {
  dockerhub: { hosts: /^registry-1\.docker\.io$/, name: 'https://registry-1.docker.io' },
  ghcr: { hosts: /^(?:ghcr\.io|containers\..+)$/, name: 'https://ghcr.io' },
};

/** Whether the type of the credentials is that of the registry. */
export const registryKindCheck: Check<Visit> = {
  name: 'credential type',
  async run({ probe, url }) {
    return probe.providers.flatMap(({ type }) => {
      const known = HOSTS[type];
      if (!known || known.hosts.test(url.hostname)) return [];
      return warn(
        `credentials of type ${type} are shown to ${url.host}`,
        `they belong to ${known.name}; for another registry use its own type, or static`,
      );
    });
  },
};
