import type { Clock } from '../../../core/index.ts';
import { claimAt } from '../json-web-token/index.ts';
import type { IntrospectionOptions } from './options.ts';
import { clientAuthorization, createServiceClient, requireObject, unexpected } from './service-client.ts';
import { isBearerToken, refused, type TokenFacts, type TokenSource } from './token-source.ts';

/** Token introspection. @see RFC 7662, section 2 */
export function createIntrospection(options: IntrospectionOptions, clock: Clock): TokenSource {
  const client = createServiceClient(options.certificateAuthorityFile);
  const url = new URL(options.url);
  const authorization = clientAuthorization(options);
  return {
    isToken: isBearerToken,
    isUnmistakable: false,
    async look(token, signal) {
      const answer = await client.request(url, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
        signal,
      });
      if (answer.status === 401 || answer.status === 403) {
        return { type: 'cannot-tell', reason: `${url.host} does not take clientId and its secret` };
      }
      if (answer.status !== 200 || answer.json === undefined) throw unexpected(url, answer);
      return judge(options, requireObject(url, answer.json), clock.now());
    },
    close: () => client.close(),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function judge(options: IntrospectionOptions, fields: Fields, now: number): TokenFacts {
  if (fields.active !== true) return refused('it is not active');
  const problem = findProblem(options, fields, now);
  if (problem !== undefined) return refused(problem);
  return {
    type: 'known',
    name: claimAt(fields, options.nameClaim),
    groups: options.groupsClaim === undefined ? undefined : claimAt(fields, options.groupsClaim),
    claims: fields,
    endsAt: typeof fields.exp === 'number' ? fields.exp * 1000 : undefined,
  };
}

function findProblem(options: IntrospectionOptions, fields: Fields, now: number): string | undefined {
  const { exp, nbf, aud, client_id: client, token_type: type, token_use: use, cnf, scope } = fields;
  if (exp !== undefined && !(typeof exp === 'number' && exp * 1000 > now)) return 'it has expired';
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf * 1000 <= now)) return 'it does not hold yet';
  if (type !== undefined && !(typeof type === 'string' && type.toLowerCase() === 'bearer')) {
    return 'it is no bearer token';
  }
  if (use !== undefined && use !== 'access_token') return 'it is no access token';
  // Bound to a key that its holder would have to show: a password can't.
  if (cnf !== undefined) return 'it is bound to a key';
  const audiences = Array.isArray(aud) ? aud : [aud];
  if (options.audience && !options.audience.some((audience) => audiences.includes(audience))) {
    return 'another audience';
  }
  if (options.clients && !(typeof client === 'string' && options.clients.includes(client))) {
    return 'it was made for another client';
  }
  const scopes = typeof scope === 'string' ? scope.split(' ') : [];
  const missing = options.scopes.find((wanted) => !scopes.includes(wanted));
  return missing === undefined ? undefined : `it lacks the scope ${missing}`;
}
