import type { ServerHttp2Stream, ServerStreamResponseOptions } from 'node:http2';
import type { Metadata } from './metadata.ts';

/** Begins an answer with exactly these headers: Node would add a date, which no gRPC server sends. */
export function respond(
  stream: ServerHttp2Stream,
  headers: Metadata,
  options: ServerStreamResponseOptions,
): void {
  // Known to Node, and missing from its types.
  const exact: ServerStreamResponseOptions & { readonly sendDate: boolean } = { ...options, sendDate: false };
  stream.respond(Object.assign(Object.create(null), { ':status': 200 }, headers), exact);
}
