import { isRecord } from '../../../../oci/index.ts';
import { UpstreamError } from '../../errors.ts';

export interface BearerToken {
  readonly value: string;
  readonly lifetimeSeconds: number;
}

const DEFAULT_LIFETIME_SECONDS = 60;
const MAXIMUM_LIFETIME_SECONDS = 24 * 60 * 60;
const MAXIMUM_TOKEN_LENGTH = 32 * 1024;

/**
 * Reads a token server's answer. `issued_at` is not looked at: it is another machine's clock.
 * @throws {UpstreamError} `faulty`
 * @see distribution, "Token Authentication Specification", "Token response fields"
 */
export function parseTokenAnswer(text: string): BearerToken {
  const answer = parseJson(text);
  const value = isRecord(answer) ? answer.token || answer.access_token : undefined;
  if (!isRecord(answer) || typeof value !== 'string') throw faulty('has no token');
  if (value.length > MAXIMUM_TOKEN_LENGTH || !/^[\x21-\x7e]+$/.test(value))
    throw faulty('has a token that is none');
  const seconds = Number(answer.expires_in);
  const lifetimeSeconds =
    seconds > 0 ? Math.min(seconds, MAXIMUM_LIFETIME_SECONDS) : DEFAULT_LIFETIME_SECONDS;
  return { value, lifetimeSeconds };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw faulty('is not JSON');
  }
}

function faulty(what: string): UpstreamError {
  return new UpstreamError('faulty', `the token server's answer ${what}`);
}
