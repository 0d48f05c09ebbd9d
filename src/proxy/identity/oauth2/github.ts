import { isRecord } from '../../../oci/index.ts';
import type { GithubOptions } from './options.ts';
import {
  askAsUser,
  clientAuthorization,
  createServiceClient,
  requireObject,
  ServiceError,
  unexpected,
  urlBelow,
} from './service-client.ts';
import { isBearerToken, refused, type TokenSource } from './token-source.ts';

const HEADERS = { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' };
const PAGE_SIZE = 100;
const MAXIMUM_PAGES = 5;

/**
 * Tokens of one OAuth or GitHub app. GitHub itself says whether the app is the right one, so the token of another app
 * that its users let in is not enough.
 * @see https://docs.github.com/en/rest/apps/oauth-applications#check-a-token
 */
export function createGithub(options: GithubOptions): TokenSource {
  const client = createServiceClient(options.certificateAuthorityFile);
  const checkUrl = urlBelow(options.url, `/applications/${encodeURIComponent(options.clientId)}/token`);
  const authorization = clientAuthorization(options);

  async function list(path: string, token: string, signal: AbortSignal) {
    const entries: unknown[] = [];
    for (let page = 1; page <= MAXIMUM_PAGES; page += 1) {
      const url = urlBelow(options.url, `${path}?per_page=${PAGE_SIZE}&page=${page}`);
      const answer = await askAsUser(client, url, token, signal, HEADERS);
      if ('refusal' in answer) return answer;
      if (!Array.isArray(answer.json)) throw new ServiceError(`${url.host}${url.pathname} answered no list`);
      entries.push(...answer.json);
      if (answer.json.length < PAGE_SIZE) return { entries };
    }
    throw new ServiceError('GitHub lists more groups than are read');
  }

  async function groupsOf(token: string, signal: AbortSignal) {
    if (options.groups === 'none') return { entries: [] };
    if (options.groups === 'teams') {
      const teams = await list('/user/teams', token, signal);
      return 'refusal' in teams ? teams : { entries: teams.entries.map(teamName) };
    }
    const organizations = await list('/user/orgs', token, signal);
    return 'refusal' in organizations
      ? organizations
      : { entries: organizations.entries.map((entry) => (isRecord(entry) ? entry.login : undefined)) };
  }

  return {
    // Of an app: gho_ for OAuth apps, ghu_ for GitHub apps. Personal tokens have no app.
    isToken: (text) => isBearerToken(text) && /^gh[ou]_/.test(text),
    isUnmistakable: true,
    async look(token, signal) {
      const answer = await client.request(checkUrl, {
        method: 'POST',
        headers: { ...HEADERS, authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ access_token: token }),
        signal,
      });
      if (answer.status === 404 || answer.status === 422)
        return refused('GitHub knows no such token of the app');
      if (answer.status === 401) {
        return { type: 'cannot-tell', reason: 'GitHub does not take clientId and its secret' };
      }
      if (answer.status !== 200 || answer.json === undefined) throw unexpected(checkUrl, answer);
      const { app, user, scopes, expires_at: end } = requireObject(checkUrl, answer.json);
      if (!isRecord(app) || app.client_id !== options.clientId) return refused('it was made for another app');
      if (!isRecord(user)) return refused('it belongs to no user');
      const groups = await groupsOf(token, signal);
      if ('refusal' in groups) return refused(groups.refusal);
      const endsAt = typeof end === 'string' ? Date.parse(end) : undefined;
      const { login, id, type } = user;
      return {
        type: 'known',
        name: login,
        groups: groups.entries,
        claims: { login, id, type, scopes },
        endsAt: Number.isNaN(endsAt) ? undefined : endsAt,
      };
    },
    close: () => client.close(),
  };
}

function teamName(team: unknown): string | undefined {
  if (!isRecord(team) || !isRecord(team.organization)) return undefined;
  const { slug, organization } = team;
  return typeof slug === 'string' && typeof organization.login === 'string'
    ? `${organization.login}/${slug}`
    : undefined;
}
