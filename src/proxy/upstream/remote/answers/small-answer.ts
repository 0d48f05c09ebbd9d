import { BodyTooLargeError, readBounded } from '../../../../core/index.ts';
import { UpstreamError } from '../../errors.ts';
import type { Answer, AnswerHeaders } from '../transport/index.ts';

/** An answer that has come whole. */
export interface SmallAnswer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly content: Buffer;
}

/** @throws {UpstreamError} `faulty` above the limit */
export async function readSmallAnswer(answer: Answer, limitBytes: number): Promise<SmallAnswer> {
  const { status, headers } = answer;
  try {
    return { status, headers, content: await readBounded(answer.body, limitBytes) };
  } catch (error) {
    if (!(error instanceof BodyTooLargeError)) throw error;
    throw new UpstreamError('faulty', `an answer has more than ${limitBytes} bytes`);
  }
}
