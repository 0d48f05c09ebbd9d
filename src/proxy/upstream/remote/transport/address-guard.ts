import type { Reach } from '../../../../network/index.ts';
import { requireSafeUrl, UnsafeAddressError } from '../../../../network/index.ts';
import { UpstreamError } from '../../errors.ts';
import type { Target, Trust } from './transport.ts';

/** How far a connection may go on this word. */
export function reachOf(trust: Trust): Reach {
  return trust === 'public' ? 'public' : 'any';
}

/**
 * Checks what can be seen without asking DNS.
 * @throws {UpstreamError} `unsafe`
 */
export function requireSafeTarget({ url, trust }: Target): void {
  try {
    requireSafeUrl(url, reachOf(trust));
  } catch (error) {
    throw unsafe(error);
  }
}

/** A look-up that was refused, as this part's own error. */
export function unsafe(error: unknown): unknown {
  return error instanceof UnsafeAddressError
    ? new UpstreamError('unsafe', error.message, { cause: error })
    : error;
}
