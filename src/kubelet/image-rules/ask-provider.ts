import type { Clock } from '../../core/index.ts';
import type { Credential, CredentialProvider, CredentialRequest } from '../../credentials/index.ts';

/** Kubelet pulls one image after the other: a provider that hangs must not hold up the node. */
export const PROVIDER_TIMEOUT_MS = 10_000;

/** A provider did not answer in time. */
export class ProviderTimeoutError extends Error {
  constructor(readonly timeoutMs: number) {
    super(`gave no answer within ${timeoutMs / 1000} s`);
    this.name = 'ProviderTimeoutError';
  }
}

/**
 * Asks a provider, and stops waiting after a while whether or not it heeds its signal.
 * @throws {ProviderTimeoutError}; what the provider throws; the request's reason when it is aborted
 */
export async function askProvider(
  provider: CredentialProvider,
  request: CredentialRequest,
  clock: Clock,
  timeoutMs = PROVIDER_TIMEOUT_MS,
): Promise<Credential | undefined> {
  request.signal.throwIfAborted();
  const timeout = new AbortController();
  const signal = AbortSignal.any([request.signal, timeout.signal]);
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  const done = new AbortController();
  const timer = clock.sleep(timeoutMs, done.signal).then(
    () => timeout.abort(new ProviderTimeoutError(timeoutMs)),
    () => undefined,
  );
  try {
    return await Promise.race([provider.credential({ ...request, signal }), aborted]);
  } finally {
    done.abort();
    await timer;
  }
}
