import type { IncomingMessage } from 'node:http';
import { BodyTooLargeError, readBounded } from '../../core/index.ts';
import { RegistryError } from '../../oci/index.ts';

const MAXIMUM_BYTES = 65_536;

/** @throws {RegistryError} 413 for a form that is too large, 408 for one that does not come in time */
export async function readForm(payload: IncomingMessage, timeoutMs: number): Promise<string> {
  if (Number(payload.headers['content-length'] ?? 0) > MAXIMUM_BYTES) throw tooLarge();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(tooSlow()), timeoutMs);
  });
  try {
    // Not ended by leaving the loop: the answer still has to go out on this connection.
    const body = payload.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    const form = await Promise.race([readBounded(body, MAXIMUM_BYTES), late]);
    return form.toString('utf8');
  } catch (error) {
    if (error instanceof BodyTooLargeError) throw tooLarge();
    throw error instanceof RegistryError
      ? error
      : new RegistryError('UNSUPPORTED', 'the form did not come whole', { status: 400, cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function tooLarge(): RegistryError {
  return new RegistryError('SIZE_INVALID', 'the form is too large', { status: 413 });
}

function tooSlow(): RegistryError {
  return new RegistryError('UNSUPPORTED', 'the form took too long to arrive', { status: 408 });
}
