import { UpstreamError } from '../../errors.ts';

/** Status line and headers of an HTTP/1.x answer. Header names are in lower case. */
export interface ResponseHead {
  readonly status: number;
  /** 0 or 1. */
  readonly minorVersion: number;
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

const MAXIMUM_HEAD_BYTES = 64 * 1024;
const INITIAL_BYTES = 2048;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const HEADER_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/;

/**
 * Collects the head of an answer from reads of any size. It is strict, because two readers that disagree about
 * where an answer ends are how one answer gets into another: lines end with CR LF, nothing is folded.
 * @see RFC 9112, sections 2.2, 4 and 5
 */
export class ResponseHeadParser {
  #bytes = Buffer.allocUnsafe(INITIAL_BYTES);
  #length = 0;

  /**
   * @returns the head, and how many of `bytes` belong to it; undefined while it is not complete
   * @throws {UpstreamError} `faulty`
   */
  push(bytes: Uint8Array): { readonly head: ResponseHead; readonly consumed: number } | undefined {
    const before = this.#length;
    this.#append(bytes.subarray(0, MAXIMUM_HEAD_BYTES + 1 - before));
    const end = this.#bytes.subarray(0, this.#length).indexOf('\r\n\r\n', Math.max(0, before - 3), 'latin1');
    if (end < 0) {
      if (this.#length > MAXIMUM_HEAD_BYTES)
        throw faulty(`has a head of more than ${MAXIMUM_HEAD_BYTES} bytes`);
      return undefined;
    }
    return { head: parseHead(this.#bytes.toString('latin1', 0, end)), consumed: end + 4 - before };
  }

  #append(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = needed;
  }
}

function parseHead(text: string): ResponseHead {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const status = STATUS_LINE.exec(statusLine);
  if (!status) throw faulty('does not begin with a status line');
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const [, name, value] = HEADER_LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) throw faulty('has a header line that is none');
    const key = name.toLowerCase();
    const values = headers.get(key);
    if (values) values.push(value.trimEnd());
    else headers.set(key, [value.trimEnd()]);
  }
  return { status: Number(status[2]), minorVersion: Number(status[1]), headers };
}

function faulty(what: string): UpstreamError {
  return new UpstreamError('faulty', `an answer ${what}`);
}
