import { nearestKey } from '../../config/index.ts';
import { parseUrl } from '../../core/index.ts';
import { parseRepositoryName, type RepositoryName } from '../../oci/index.ts';
import { anonymousIdentity, type Identity } from '../../proxy/identity/index.ts';
import type { ProxyOptions } from '../../proxy/index.ts';
import { ACTIONS, type Action, createPolicy, type RuleVerdict } from '../../proxy/policy/index.ts';
import { createRouter, type RoutedName } from '../../proxy/registry/index.ts';
import { UsageError } from '../errors.ts';
import { type VerifierRole, whoIsAsked } from './who-is-asked.ts';

/** As it was asked on the command line. */
export interface Question {
  readonly repository: string;
  readonly user?: string;
  readonly verifier?: string;
  readonly group: readonly string[];
  readonly claim: readonly string[];
  readonly anonymous?: boolean;
  readonly action: string;
  readonly host?: string;
  readonly namespace?: string;
  /** Say who would be asked about the login, too. */
  readonly verbose?: boolean;
}

export interface Explanation {
  readonly identity: Identity;
  readonly action: Action;
  readonly repository: RepositoryName;
  readonly host: string;
  readonly namespace: string | undefined;
  /** Undefined when no route takes the name. */
  readonly route: RoutedName | undefined;
  /** Only where it was asked for. */
  readonly verifiers?: readonly VerifierRole[];
  readonly rules: readonly RuleVerdict[];
  readonly allowed: boolean;
  readonly reason: string;
}

/**
 * Answers as the proxy would, and says why.
 * @throws {UsageError} when the question makes no sense for this configuration
 */
export function explain(options: ProxyOptions, question: Question): Explanation {
  const identity = identityOf(question, options);
  const action = ACTIONS.find((known) => known === question.action);
  if (!action) throw new UsageError(`--action takes ${ACTIONS.join(', ')}, not ${question.action}`);
  const repository = parseRepositoryName(question.repository);
  if (!repository) {
    throw new UsageError(`${question.repository} is not a repository name: leave out host, tag and digest`);
  }
  const host = (question.host ?? publicHost(options)).toLowerCase();
  const { namespace } = question;
  const route = createRouter(options.routes).route({ host, namespace, name: repository });
  const policy = createPolicy(options.authorization);
  const decision = policy.decide(identity, repository, action);
  const refusal = refusalOf(question, action, options, route);
  return {
    identity,
    action,
    repository,
    host,
    namespace,
    route,
    ...(question.verbose && { verifiers: whoIsAsked(options.authentication.verifiers, identity.name) }),
    rules: policy.explain(identity, repository, action),
    allowed: decision.allowed && refusal === undefined,
    reason: refusal ?? (decision.allowed ? `by rule ${decision.rule}` : 'no rule grants it'),
  };
}

/** What stands against it before any rule is asked. */
function refusalOf(
  question: Question,
  action: Action,
  options: ProxyOptions,
  route: RoutedName | undefined,
): string | undefined {
  if (!route) return 'no route takes this name: clients hear NAME_UNKNOWN';
  if (action !== 'pull' && !route.push) {
    return `routes[${route.index}] is read-only: it takes ${action} with push: true`;
  }
  if (action !== 'pull' && options.upstreams[route.upstream]?.layout !== undefined) {
    return `upstream ${route.upstream} is a layout, which is never written to`;
  }
  if (question.anonymous && !options.authentication.anonymous) {
    return 'authentication.anonymous is false: clients without a login get no token';
  }
  return undefined;
}

function identityOf(question: Question, { authentication }: ProxyOptions): Identity {
  const { anonymous, user, group, claim } = question;
  if (anonymous) {
    const more = user ?? question.verifier ?? group[0] ?? claim[0];
    if (more !== undefined)
      throw new UsageError('--anonymous takes no --user, --verifier, --group or --claim');
    return anonymousIdentity;
  }
  if (user === undefined) throw new UsageError('say who asks: --user NAME or --anonymous');
  const names = authentication.verifiers.map(({ name }) => name);
  return {
    verifier: verifierOf(question.verifier, names),
    name: user,
    groups: group,
    claims: Object.fromEntries(claim.map(parseClaim)),
  };
}

function verifierOf(asked: string | undefined, known: readonly string[]): string {
  if (known.length === 0) throw new UsageError('the file has no verifier: only --anonymous makes sense');
  if (asked === undefined) {
    const [only] = known;
    if (only !== undefined && known.length === 1) return only;
    throw new UsageError(`say which verifier knows the user: --verifier ${known.join(', or ')}`);
  }
  if (known.includes(asked)) return asked;
  const nearest = nearestKey(asked, known);
  throw new UsageError(
    `there is no verifier ${asked}; ${nearest === undefined ? `known: ${known.join(', ')}` : `did you mean ${nearest}?`}`,
  );
}

/** `key=text` or `key:=json`. */
function parseClaim(text: string): [string, unknown] {
  const match = /^([^:=]+(?::[^:=]+)*)(:?=)(.*)$/s.exec(text);
  const [, key, sign, value] = match ?? [];
  if (key === undefined || value === undefined) {
    throw new UsageError(`--claim takes key=value or key:=json, not ${text}`);
  }
  if (sign === '=') return [key, value];
  try {
    return [key, JSON.parse(value)];
  } catch {
    throw new UsageError(`--claim ${key}:= takes JSON, such as ${key}:=true or ${key}:='["a"]'`);
  }
}

function publicHost({ server }: ProxyOptions): string {
  return parseUrl(server.publicUrl ?? '')?.host ?? 'localhost';
}
