import type { ByteStream } from '../../core/index.ts';
import type { RegistryError } from '../../oci/index.ts';

/** What goes back to the client: handlers make it, and one place sends it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number | string[]>>;
  /** A stream's `Content-Length` is among the headers where it is known. */
  readonly body?: Buffer | ByteStream;
}

export function jsonAnswer(status: number, value: unknown, headers: Answer['headers'] = {}): Answer {
  return bytesAnswer(status, Buffer.from(JSON.stringify(value)), {
    'Content-Type': 'application/json',
    ...headers,
  });
}

export function bytesAnswer(status: number, body: Buffer, headers: Answer['headers']): Answer {
  return { status, headers: { ...headers, 'Content-Length': body.length }, body };
}

export function errorAnswer(error: RegistryError): Answer {
  return bytesAnswer(error.status, Buffer.from(error.body()), {
    'Content-Type': 'application/json',
    ...error.headers,
  });
}
