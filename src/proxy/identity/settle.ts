import type { Outcome } from './verifier.ts';

/**
 * An outcome for certain: a rejection and an abort become `cannot-tell`. Does not wait for work that goes on after
 * the abort.
 */
export async function settle(work: () => Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
  if (signal.aborted) return givenUp(signal);
  let abort: () => void = () => undefined;
  const aborted = new Promise<Outcome>((resolve) => {
    abort = () => resolve(givenUp(signal));
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([attempt(work), aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function attempt(work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work();
  } catch (cause) {
    return { type: 'cannot-tell', reason: cause instanceof Error ? cause.message : String(cause), cause };
  }
}

function givenUp(signal: AbortSignal): Outcome {
  const reason = signal.reason instanceof Error ? signal.reason.message : 'aborted';
  return { type: 'cannot-tell', reason: `the login was given up: ${reason}`, cause: signal.reason };
}
