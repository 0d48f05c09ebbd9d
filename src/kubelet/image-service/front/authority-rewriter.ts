import { ConnectionError, HTTP2_ERROR } from './errors.ts';
import {
  FLAG,
  FRAME_HEADER_BYTES,
  FRAME_LIMIT_BYTES,
  FRAME_TYPE,
  type FrameHeader,
  PREFACE,
  parseFrameHeader,
} from './frame.ts';
import { HeaderBlock } from './header-block.ts';
import { createHpackDecoder, encodeLiterals, type HeaderField, HpackError } from './hpack/index.ts';

/** The initial value of SETTINGS_HEADER_TABLE_SIZE; the server behind must not announce another. */
export const HEADER_TABLE_BYTES = 4096;
/** Decoded; also what the server behind announces as SETTINGS_MAX_HEADER_LIST_SIZE. */
export const HEADER_LIST_LIMIT_BYTES = 32_768;

const AUTHORITY = ':authority';
const LOCALHOST = Buffer.from('localhost');

/** What is expected next, and how much of it is missing. */
type State =
  | { readonly type: 'preface'; readonly seen: number }
  | { readonly type: 'frame-header' }
  | { readonly type: 'payload'; readonly header: FrameHeader }
  | { readonly type: 'pass'; readonly left: number };

/** Turns what a client sends into what the server behind is given. */
export interface AuthorityRewriter {
  /**
   * @param chunk any piece of the connection, cut anywhere
   * @returns what the server is to be given for it, which may refer to the chunk's memory
   * @throws {ConnectionError}
   */
  rewrite(chunk: Buffer): Buffer[];
}

/**
 * Kubelets up to 1.28 send the socket's path as `:authority`, and Node's HTTP/2 server resets such a stream before
 * anybody sees it. So every request gets `localhost` there. Header blocks are decoded for that, and sent on as literals
 * without any compression state; every other frame passes as it is, wrong ones too: the server knows what to answer.
 */
export function createAuthorityRewriter(): AuthorityRewriter {
  const decoder = createHpackDecoder({
    tableSizeBytes: HEADER_TABLE_BYTES,
    listLimitBytes: HEADER_LIST_LIMIT_BYTES,
  });
  let state: State = { type: 'preface', seen: 0 };
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let block: HeaderBlock | undefined;

  /** Collects `length` bytes over as many chunks as it takes. */
  function collect(chunk: Buffer, length: number): { whole: Buffer | undefined; rest: Buffer } {
    const part = chunk.subarray(0, length - pendingBytes);
    const rest = chunk.subarray(part.length);
    if (pendingBytes + part.length < length) {
      // A copy: the memory of a chunk is its reader's only for now.
      pending.push(Buffer.from(part));
      pendingBytes += part.length;
      return { whole: undefined, rest };
    }
    const whole = pending.length === 0 ? part : Buffer.concat([...pending, part]);
    pending = [];
    pendingBytes = 0;
    return { whole, rest };
  }

  function onFrameHeader(bytes: Buffer, output: Buffer[]): State {
    const header = parseFrameHeader(bytes);
    const { type, length, streamId } = header;
    if (block && (type !== FRAME_TYPE.CONTINUATION || streamId !== block.streamId)) {
      throw new ConnectionError(HTTP2_ERROR.PROTOCOL_ERROR, 'another frame in the middle of headers');
    }
    if (type !== FRAME_TYPE.HEADERS && !(type === FRAME_TYPE.CONTINUATION && block)) {
      output.push(bytes);
      return length === 0 ? { type: 'frame-header' } : { type: 'pass', left: length };
    }
    if (length > FRAME_LIMIT_BYTES) {
      throw new ConnectionError(HTTP2_ERROR.FRAME_SIZE_ERROR, 'a frame is too large');
    }
    if (length > 0) return { type: 'payload', header };
    onPayload(header, Buffer.alloc(0), output);
    return { type: 'frame-header' };
  }

  function onPayload(header: FrameHeader, payload: Buffer, output: Buffer[]): void {
    if (block) block.add(payload);
    else block = new HeaderBlock(header, payload);
    if ((header.flags & FLAG.END_HEADERS) === 0) return;
    output.push(...block.framesWith(encodeLiterals(decode(block.bytes()).map(withLocalhost))));
    block = undefined;
  }

  function decode(bytes: Buffer): HeaderField[] {
    try {
      return decoder.decode(bytes);
    } catch (cause) {
      if (!(cause instanceof HpackError)) throw cause;
      const { COMPRESSION_ERROR, ENHANCE_YOUR_CALM } = HTTP2_ERROR;
      const code = cause.reason === 'compression' ? COMPRESSION_ERROR : ENHANCE_YOUR_CALM;
      throw new ConnectionError(code, cause.message, { cause });
    }
  }

  function step(chunk: Buffer, output: Buffer[]): Buffer {
    switch (state.type) {
      case 'preface': {
        const part = chunk.subarray(0, PREFACE.length - state.seen);
        const seen = state.seen + part.length;
        if (!part.equals(PREFACE.subarray(state.seen, seen))) {
          throw new ConnectionError(HTTP2_ERROR.PROTOCOL_ERROR, 'this is not HTTP/2');
        }
        output.push(part);
        state = seen === PREFACE.length ? { type: 'frame-header' } : { type: 'preface', seen };
        return chunk.subarray(part.length);
      }
      case 'frame-header': {
        const { whole, rest } = collect(chunk, FRAME_HEADER_BYTES);
        if (whole) state = onFrameHeader(whole, output);
        return rest;
      }
      case 'payload': {
        const { header } = state;
        const { whole, rest } = collect(chunk, header.length);
        if (whole) {
          // A header block outlives the chunk when it goes on in another frame.
          onPayload(header, (header.flags & FLAG.END_HEADERS) === 0 ? Buffer.from(whole) : whole, output);
          state = { type: 'frame-header' };
        }
        return rest;
      }
      case 'pass': {
        const part = chunk.subarray(0, state.left);
        output.push(part);
        const left = state.left - part.length;
        state = left === 0 ? { type: 'frame-header' } : { type: 'pass', left };
        return chunk.subarray(part.length);
      }
    }
  }

  return {
    rewrite(chunk) {
      const output: Buffer[] = [];
      for (let rest = chunk; rest.length > 0; ) rest = step(rest, output);
      return output;
    },
  };
}

function withLocalhost(field: HeaderField): HeaderField {
  return field.name.toString('latin1') === AUTHORITY ? { ...field, value: LOCALHOST } : field;
}
