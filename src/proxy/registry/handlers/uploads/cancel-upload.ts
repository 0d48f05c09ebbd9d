import type { Answer } from '../../answer.ts';
import type { Push } from '../push.ts';
import { openStep, sessionOf } from './step.ts';

/** DELETE: what was sent is given up. */
export async function cancelUpload(push: Push, session: string): Promise<Answer> {
  const step = openStep(push, session);
  await push.target.cancelUpload(sessionOf(push, step), { signal: push.request.signal });
  return { status: 204, headers: {} };
}
