import type { Secret } from '../../../core/index.ts';
import { issuersOf } from '../azure/index.ts';
import { GOOGLE_ISSUER } from '../gcp/index.ts';
import { readToken } from '../json-web-token/index.ts';
import type { VerifierOptions } from '../options.ts';
import type { ExplainedStep } from './explain-login.ts';

/** What a verifier of tokens expects. */
interface Expected {
  /** Undefined where any will do. */
  readonly issuers: readonly string[] | undefined;
  readonly audiences: readonly string[];
  readonly leewayMs: number;
}

type Claims = Readonly<Record<string, unknown>>;

const LEEWAY_MS = 60_000;

/** What can be said of a token without its issuer's keys; nothing for verifiers of other things. */
export function tokenSteps(options: VerifierOptions, password: Secret, now: number): ExplainedStep[] {
  const expected = expectationsOf(options);
  if (!expected) return [];
  const token = readToken(password.reveal());
  if (!token) return [{ step: 'form', result: 'no', detail: 'it is no JWT' }];
  const { alg, kid } = token.header;
  const form: ExplainedStep = {
    step: 'form',
    result: 'yes',
    detail: `a JWT, ${alg}, key ${kid ?? '(unnamed)'}`,
  };
  return [
    form,
    issuerStep(token.claims, expected),
    audienceStep(token.claims, expected),
    timeStep(token.claims, expected, now),
  ];
}

function expectationsOf(options: VerifierOptions): Expected | undefined {
  switch (options.type) {
    case 'gcp':
      return { issuers: [GOOGLE_ISSUER], audiences: options.audience, leewayMs: options.leeway };
    case 'azure': {
      const issuers = options.tenants.flatMap((tenant) => issuersOf(options.authority, tenant));
      return { issuers, audiences: options.audience, leewayMs: options.leeway };
    }
    case 'jwt':
      return { issuers: listOf(options.issuer), audiences: options.audience, leewayMs: options.leeway };
    case 'kubernetes':
      return {
        issuers: listOf(options.issuer),
        audiences: options.audience,
        leewayMs: options.offline?.leeway ?? LEEWAY_MS,
      };
    default:
      return undefined;
  }
}

function issuerStep({ iss }: Claims, { issuers }: Expected): ExplainedStep {
  const isRight = issuers === undefined || issuers.some((issuer) => issuer === iss);
  const detail = isRight ? shown(iss) : `${shown(iss)}, not ${issuers?.join(' or ') || 'one of none'}`;
  return { step: 'issuer', result: isRight ? 'yes' : 'no', detail };
}

function audienceStep({ aud }: Claims, { audiences }: Expected): ExplainedStep {
  const isRight = [aud].flat().some((audience) => audiences.some((wanted) => wanted === audience));
  const detail = isRight ? shown(aud) : `${shown(aud)}, not ${audiences.join(' or ')}`;
  return { step: 'audience', result: isRight ? 'yes' : 'no', detail };
}

function timeStep({ iat, nbf, exp }: Claims, { leewayMs }: Expected, now: number): ExplainedStep {
  if (typeof exp !== 'number') return { step: 'time', result: 'no', detail: 'it never ends' };
  const from = Math.max(...[iat, nbf].filter((time) => typeof time === 'number'), 0);
  const isNow = now < exp * 1000 + leewayMs && now > from * 1000 - leewayMs;
  return { step: 'time', result: isNow ? 'yes' : 'no', detail: `from ${timeText(from)} to ${timeText(exp)}` };
}

function listOf(issuer: string | undefined): readonly string[] | undefined {
  return issuer === undefined ? undefined : [issuer];
}

function timeText(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString();
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'none');
  return text.replace(/\p{Cc}+/gu, ' ').slice(0, 200);
}
