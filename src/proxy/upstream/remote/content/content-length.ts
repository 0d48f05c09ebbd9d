import type { AnswerHeaders } from '../transport/index.ts';

/** The length an answer says it has; undefined where it says none, or nonsense. */
export function contentLength(headers: AnswerHeaders): number | undefined {
  const text = headers.get('content-length');
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
