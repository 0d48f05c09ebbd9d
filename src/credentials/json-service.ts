import type { HttpAnswer, HttpClient, HttpRequest } from '../network/index.ts';
import { isRecord } from '../oci/index.ts';
import { CredentialUnavailableError } from './unavailable.ts';

/** An answer of a cloud's service: its status, and its body where that is a JSON object. */
export interface JsonAnswer {
  readonly status: number;
  readonly headers: HttpAnswer['headers'];
  readonly body: Readonly<Record<string, unknown>>;
}

const MAXIMUM_WORDS = 300;

/**
 * Asks a service once.
 * @param service what it is called in the error
 * @param whole milliseconds from the first byte sent to the last one read
 * @throws {CredentialUnavailableError} when no answer comes; the signal's reason when it is aborted
 */
export async function askService(
  client: HttpClient,
  service: string,
  url: URL,
  request: HttpRequest,
  whole: number,
): Promise<JsonAnswer> {
  const late = AbortSignal.timeout(whole);
  try {
    const signal = AbortSignal.any([request.signal, late]);
    const { status, headers, body } = await client.request(url, { ...request, signal });
    return { status, headers, body: parseObject(body) };
  } catch (cause) {
    request.signal.throwIfAborted();
    const why = late.aborted
      ? `gives no answer within ${whole / 1000} s`
      : `can't be reached (${reason(cause)})`;
    throw new CredentialUnavailableError(`${service} at ${url.origin} ${why}`, { cause });
  }
}

/** `text`, `{ "error": "text" }`, and what else services say when they refuse; cut to a length that fits a log line. */
export function wordsOf(body: JsonAnswer['body']): string {
  const { error } = body;
  const words = [
    isRecord(error) ? error.status : error,
    isRecord(error) ? error.message : undefined,
    body.error_description,
    ...firstOfList(body.errors),
    body.Message,
  ].filter((word) => typeof word === 'string' && word !== '');
  return (
    words
      .join(': ')
      .replace(/\p{Cc}+/gu, ' ')
      .slice(0, MAXIMUM_WORDS) || 'without a word'
  );
}

/** A text that an answer has to have. @returns undefined where it is missing, empty, or none for a header */
export function textIn(body: JsonAnswer['body'], key: string): string | undefined {
  const value = Object.hasOwn(body, key) ? body[key] : undefined;
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value) ? value : undefined;
}

function firstOfList(errors: unknown): unknown[] {
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  return isRecord(first) ? [first.code, first.message] : [];
}

function parseObject(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = (cause as NodeJS.ErrnoException).code;
  return typeof code === 'string' ? code : cause.message;
}
