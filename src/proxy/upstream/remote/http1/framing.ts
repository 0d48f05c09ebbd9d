import { UpstreamError } from '../../errors.ts';
import type { ResponseHead } from './response-head.ts';

/** How a body's end is found. `until-close` says nothing about whether it came whole. */
export type Framing =
  | { readonly type: 'none' }
  | { readonly type: 'length'; readonly lengthBytes: number }
  | { readonly type: 'chunked' }
  | { readonly type: 'until-close' };

const MAXIMUM_LENGTH_DIGITS = 15;

/**
 * @throws {UpstreamError} `faulty` where the head leaves any doubt
 * @see RFC 9112, section 6.3
 */
export function framingOf(head: ResponseHead): Framing {
  const encodings = head.headers.get('transfer-encoding');
  const lengths = head.headers.get('content-length');
  if (encodings && lengths) throw faulty('has both Content-Length and Transfer-Encoding');
  if (head.status === 204 || head.status === 304) return { type: 'none' };
  if (encodings) {
    if (encodings.length > 1 || encodings[0]?.toLowerCase() !== 'chunked') {
      throw faulty('has a transfer encoding other than chunked');
    }
    return { type: 'chunked' };
  }
  if (!lengths) return { type: 'until-close' };
  return { type: 'length', lengthBytes: parseContentLength(lengths) };
}

/** Whether the connection may carry another request after this answer. @see RFC 9112, section 9.3 */
export function keepsConnection(head: ResponseHead, framing: Framing): boolean {
  const words = (head.headers.get('connection') ?? [])
    .join(',')
    .toLowerCase()
    .split(/[\t ,]+/);
  return head.minorVersion === 1 && framing.type !== 'until-close' && !words.includes('close');
}

function parseContentLength(values: readonly string[]): number {
  const [first = ''] = values;
  if (!values.every((value) => value === first)) throw faulty('has several lengths');
  if (!/^[0-9]+$/.test(first) || first.length > MAXIMUM_LENGTH_DIGITS)
    throw faulty('has a length that is no number');
  return Number(first);
}

function faulty(what: string): UpstreamError {
  return new UpstreamError('faulty', `an answer ${what}`);
}
