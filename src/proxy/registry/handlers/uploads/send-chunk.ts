import type { Answer } from '../../answer.ts';
import type { Push } from '../push.ts';
import { readChunkRange } from './chunk.ts';
import { SalvagedBody } from './salvaged-body.ts';
import { nextStep, openStep, sessionOf, stepAnswer } from './step.ts';

/**
 * PATCH: the next bytes. When the client breaks off, what came of them is kept, and where the upload goes on is noted
 * for when it comes back and asks.
 * @see OCI distribution specification 1.1, "Pushing a blob in chunks"
 */
export async function sendChunk(push: Push, session: string): Promise<Answer> {
  const { request, target, uploads, owner } = push;
  const step = openStep(push, session);
  const range = readChunkRange(request, step);
  const { sizeBytes } = request.body;
  const body = new SalvagedBody(request.body, request.signal);
  const chunk = { bytes: body.bytes, sizeBytes, range, mayEndEarly: step.offset !== undefined };
  return uploads.whileSending(step, async () => {
    const progress = await target.sendChunk(sessionOf(push, step), chunk, { signal: body.signal });
    const expected = step.offset === undefined ? undefined : step.offset + body.count;
    const next = nextStep(step.id, progress, expected);
    if (body.broken) {
      await uploads.note(next, owner);
      throw body.broken.reason;
    }
    return stepAnswer(push, 202, next, progress);
  });
}
