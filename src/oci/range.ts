/** A closed or open range of bytes; `end` is inclusive, as in the header. */
export interface ByteRange {
  readonly start: number;
  readonly end?: number;
}

/** What an upstream says that a partial answer holds. */
export interface ContentRange {
  readonly start: number;
  readonly end: number;
  /** Absent when the server wrote `*`. */
  readonly size?: number;
}

/**
 * Reads a `Range` header with one range. Several ranges, suffixes (`bytes=-5`) and other units are undefined:
 * a server may ignore those and answer with the whole (RFC 9110, section 14.2).
 */
export function parseRange(header: string): ByteRange | undefined {
  const match = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(header.trim());
  if (!match?.[1]) return undefined;
  const start = Number(match[1]);
  if (!match[2]) return { start };
  const end = Number(match[2]);
  return end < start ? undefined : { start, end };
}

export function formatRange(range: ByteRange): string {
  return `bytes=${range.start}-${range.end ?? ''}`;
}

/**
 * Reads the `Content-Range` of an upload's chunk, `start-end`; a unit and a size, which some clients write, are left out.
 * @see OCI distribution specification 1.1, "Pushing a blob in chunks"
 */
export function parseChunkRange(header: string): Required<ByteRange> | undefined {
  const match = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d{1,15}|\*))?$/.exec(header.trim());
  if (!match) return undefined;
  const [start, end] = [Number(match[1]), Number(match[2])];
  return end < start ? undefined : { start, end };
}

/** @see RFC 9110, section 14.4 */
export function parseContentRange(header: string): ContentRange | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(header.trim());
  if (!match) return undefined;
  const [start, end] = [Number(match[1]), Number(match[2])];
  if (end < start) return undefined;
  return match[3] === '*' ? { start, end } : { start, end, size: Number(match[3]) };
}
