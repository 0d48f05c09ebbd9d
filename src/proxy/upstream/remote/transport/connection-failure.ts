import { UnsafeAddressError } from '../../../../network/index.ts';
import { UpstreamError } from '../../errors.ts';
import { unsafe } from './address-guard.ts';

/** What a failed request rejects with: the signal's reason, an error that already says why, or `unreachable`. */
export function connectionFailure(origin: string, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  const named = namedError(error);
  if (named) return named;
  const code = (error as { code?: unknown }).code;
  const detail = typeof code === 'string' ? ` (${code})` : '';
  return new UpstreamError('unreachable', `no answer from ${origin}${detail}`, { cause: error });
}

/** An error of ours may come back wrapped by the library it went through. */
function namedError(error: unknown): unknown {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 3; cause = cause.cause, depth += 1) {
    if (cause instanceof UpstreamError) return cause;
    if (cause instanceof UnsafeAddressError) return unsafe(cause);
  }
  return undefined;
}
