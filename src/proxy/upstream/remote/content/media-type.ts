import type { AnswerHeaders } from '../transport/index.ts';

const MAXIMUM_LENGTH = 255;
const MEDIA_TYPE = /^[A-Za-z0-9!#$&^_.+-]+\/[A-Za-z0-9!#$&^_.+-]+$/;

/** The media type of an answer without its parameters; undefined where there is none that can be passed on. */
export function contentType(headers: AnswerHeaders): string | undefined {
  return parseMediaType(headers.get('content-type')?.split(';')[0]?.trim());
}

export function parseMediaType(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= MAXIMUM_LENGTH && MEDIA_TYPE.test(value)
    ? value
    : undefined;
}
