import type { Clock } from '../../../core/index.ts';
import { isRecord } from '../../../oci/index.ts';
import type { GitlabOptions } from './options.ts';
import { askAsUser, createServiceClient, requireObject, urlBelow } from './service-client.ts';
import { isBearerToken, refused, type TokenSource } from './token-source.ts';

/**
 * Tokens of one GitLab application. The token's own description names the application; the user and their groups come
 * from the user-info endpoint.
 * @see https://docs.gitlab.com/api/oauth2/#retrieve-the-token-information
 */
export function createGitlab(options: GitlabOptions, clock: Clock): TokenSource {
  const client = createServiceClient(options.certificateAuthorityFile);
  const infoUrl = urlBelow(options.url, '/oauth/token/info');
  const userUrl = urlBelow(options.url, '/oauth/userinfo');
  return {
    isToken: (text) => isBearerToken(text) && /^[0-9a-f]{64}$/.test(text),
    isUnmistakable: false,
    async look(token, signal) {
      const info = await askAsUser(client, infoUrl, token, signal);
      if ('refusal' in info) return refused(info.refusal);
      const { application, expires_in: seconds } = requireObject(infoUrl, info.json);
      if (!isRecord(application) || application.uid !== options.clientId) {
        return refused('it was made for another application');
      }
      const user = await askAsUser(client, userUrl, token, signal);
      if ('refusal' in user) return refused(user.refusal);
      const fields = requireObject(userUrl, user.json);
      return {
        type: 'known',
        name: fields.nickname,
        groups: fields.groups,
        claims: fields,
        endsAt: typeof seconds === 'number' ? clock.now() + seconds * 1000 : undefined,
      };
    },
    close: () => client.close(),
  };
}
