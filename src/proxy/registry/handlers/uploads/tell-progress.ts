import type { Answer } from '../../answer.ts';
import type { Push } from '../push.ts';
import { nextStep, openStep, sessionOf, stepAnswer } from './step.ts';

/** GET: how far an upload has come, and where it goes on. */
export async function tellProgress(push: Push, session: string): Promise<Answer> {
  const { request, target, uploads, owner } = push;
  const step = await uploads.newest(openStep(push, session), owner);
  const progress = await target.uploadProgress(sessionOf(push, step), { signal: request.signal });
  return stepAnswer(push, 204, nextStep(step.id, progress, step.offset), progress);
}
