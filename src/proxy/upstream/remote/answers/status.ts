import { UpstreamError, type UpstreamErrorKind } from '../../errors.ts';
import type { AnswerHeaders } from '../transport/index.ts';

const KIND_BY_STATUS: Readonly<Record<number, UpstreamErrorKind>> = {
  401: 'refused',
  403: 'refused',
  404: 'not-found',
  405: 'unsupported',
  408: 'unreachable',
  416: 'range',
  429: 'rate-limited',
  501: 'unsupported',
  503: 'unreachable',
};

/** What an answer that is not the wanted one means. @param what was asked for, for the message */
export function statusError(
  { status, headers }: { readonly status: number; readonly headers: AnswerHeaders },
  what: string,
): UpstreamError {
  const retryAfter = headers.get('retry-after');
  return new UpstreamError(KIND_BY_STATUS[status] ?? 'faulty', `asked for ${what}, answered ${status}`, {
    retryAfter,
  });
}

export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}
