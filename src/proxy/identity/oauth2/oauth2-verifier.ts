import type { Clock } from '../../../core/index.ts';
import { groupsFrom, nameFrom, pickClaims } from '../json-web-token/index.ts';
import { type Answer, createRecentAnswers } from '../recent-answers.ts';
import { settle } from '../settle.ts';
import type { Outcome, Verifier } from '../verifier.ts';
import { createGithub } from './github.ts';
import { createGitlab } from './gitlab.ts';
import { createGoogle, type GoogleEndpoints, googleEndpoints } from './google.ts';
import { createIntrospection } from './introspection.ts';
import type { OAuth2VerifierOptions } from './options.ts';
import type { TokenFacts, TokenSource } from './token-source.ts';
import { createUserInfo } from './user-info.ts';

export interface OAuth2Dependencies {
  readonly clock: Clock;
  readonly google?: GoogleEndpoints;
}

const REMEMBER_MS = 60_000;

/**
 * Access tokens that say nothing by themselves, shown as the password: their service is asked. The user name plays no
 * part but to pick the verifier. Not renewed: nobody can be asked without the token.
 */
export function createOAuth2Verifier(
  options: OAuth2VerifierOptions,
  dependencies: OAuth2Dependencies,
): Verifier {
  const { name, username } = options;
  const source = createSource(options, dependencies);
  const answers = createRecentAnswers({ rememberMs: REMEMBER_MS }, dependencies.clock);
  let closed = false;

  async function ask(token: string, signal: AbortSignal): Promise<Answer> {
    const facts = await source.look(token, signal);
    if (facts.type !== 'known') return { outcome: facts };
    if (facts.endsAt !== undefined && facts.endsAt <= dependencies.clock.now()) {
      return { outcome: { type: 'refused', reason: 'it has expired' } };
    }
    return { outcome: identify(options, facts), validUntil: facts.endsAt };
  }

  return {
    name,
    ...(username !== undefined && { username }),
    issued: (password) => source.isUnmistakable && source.isToken(password.reveal()),
    async verify({ password }, signal) {
      if (closed) return { type: 'cannot-tell', reason: 'the verifier is closed' };
      const token = password.reveal();
      if (!source.isToken(token)) return { type: 'refused', reason: 'it is no access token of this kind' };
      return settle(() => answers.get([token], (limited) => ask(token, limited)), signal);
    },
    async close() {
      closed = true;
      answers.close();
      await source.close();
    },
  };
}

function createSource(options: OAuth2VerifierOptions, dependencies: OAuth2Dependencies): TokenSource {
  const { introspection, userInfo, github, gitlab, google } = options;
  if (introspection) return createIntrospection(introspection, dependencies.clock);
  if (userInfo) return createUserInfo(userInfo);
  if (github) return createGithub(github);
  if (gitlab) return createGitlab(gitlab, dependencies.clock);
  if (google) return createGoogle(google, dependencies.google ?? googleEndpoints);
  throw new Error('the options name no service');
}

function identify(options: OAuth2VerifierOptions, facts: Extract<TokenFacts, { type: 'known' }>): Outcome {
  const name = nameFrom(facts.name);
  if (name === undefined) return { type: 'refused', reason: 'its service names nobody' };
  const groups = groupsFrom(facts.groups);
  if (!groups) return { type: 'refused', reason: 'its groups are no list of texts' };
  return {
    type: 'identity',
    identity: { verifier: options.name, name, groups, claims: pickClaims(facts.claims, options.claims) },
  };
}
