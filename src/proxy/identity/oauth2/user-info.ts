import { isRecord } from '../../../oci/index.ts';
import { claimAt } from '../json-web-token/index.ts';
import type { UserInfoOptions } from './options.ts';
import { askAsUser, createServiceClient, requireObject, ServiceError } from './service-client.ts';
import { isBearerToken, refused, type TokenSource } from './token-source.ts';

/** A URL that describes the user whose token is shown, and says nothing of who the token was made for. */
export function createUserInfo(options: UserInfoOptions): TokenSource {
  const client = createServiceClient(options.certificateAuthorityFile);
  const url = new URL(options.url);
  const groupsUrl = options.groups && new URL(options.groups.url);

  function groupOf(entry: unknown): unknown {
    const field = options.groups?.field;
    if (field === undefined) return entry;
    return isRecord(entry) ? claimAt(entry, field) : undefined;
  }

  return {
    isToken: isBearerToken,
    isUnmistakable: false,
    async look(token, signal) {
      const user = await askAsUser(client, url, token, signal, options.headers);
      if ('refusal' in user) return refused(user.refusal);
      const fields = requireObject(url, user.json);
      const known = { type: 'known', name: claimAt(fields, options.nameClaim), claims: fields } as const;
      if (!groupsUrl) {
        const { groupsClaim } = options;
        return { ...known, groups: groupsClaim === undefined ? undefined : claimAt(fields, groupsClaim) };
      }
      const list = await askAsUser(client, groupsUrl, token, signal, options.headers);
      if ('refusal' in list) return refused(list.refusal);
      if (!Array.isArray(list.json)) {
        throw new ServiceError(`${groupsUrl.host}${groupsUrl.pathname} answered no list`);
      }
      return { ...known, groups: list.json.map(groupOf) };
    },
    close: () => client.close(),
  };
}
