import type { GoogleOptions } from './options.ts';
import { askAsUser, createServiceClient, requireObject, unexpected } from './service-client.ts';
import { isBearerToken, refused, type TokenSource } from './token-source.ts';

/** Where Google answers. */
export interface GoogleEndpoints {
  readonly tokenInfo: string;
  readonly userInfo: string;
}

export const googleEndpoints: GoogleEndpoints = {
  tokenInfo: 'https://oauth2.googleapis.com/tokeninfo',
  userInfo: 'https://openidconnect.googleapis.com/v1/userinfo',
};

/**
 * Tokens of one Google client. Only addresses that Google has verified are names.
 * @see https://developers.google.com/identity/protocols/oauth2
 */
export function createGoogle(options: GoogleOptions, endpoints: GoogleEndpoints): TokenSource {
  const client = createServiceClient();
  const infoUrl = new URL(endpoints.tokenInfo);
  const userUrl = new URL(endpoints.userInfo);
  return {
    isToken: (text) => isBearerToken(text) && text.startsWith('ya29.'),
    isUnmistakable: true,
    async look(token, signal) {
      const url = new URL(infoUrl);
      url.searchParams.set('access_token', token);
      const answer = await client.request(url, { signal });
      if (answer.status === 400 || answer.status === 401) return refused('Google does not take the token');
      if (answer.status !== 200 || answer.json === undefined) throw unexpected(infoUrl, answer);
      const info = requireObject(infoUrl, answer.json);
      if (info.aud !== options.clientId) return refused('it was made for another client');
      const user = await askAsUser(client, userUrl, token, signal);
      if ('refusal' in user) return refused(user.refusal);
      const fields = requireObject(userUrl, user.json);
      if (fields.sub !== info.sub) return refused('Google names two users for it');
      if (fields.email_verified !== true) return refused('its address is not verified');
      const end = Number(info.exp) * 1000;
      return {
        type: 'known',
        name: fields.email,
        groups: undefined,
        claims: fields,
        endsAt: Number.isFinite(end) ? end : undefined,
      };
    },
    close: () => client.close(),
  };
}
