import { type IncomingHttpHeaders, type OutgoingHttpHeaders, sensitiveHeaders } from 'node:http2';

/** Headers as they came, repeated ones included; without those that HTTP/2 itself needs. */
export type Metadata = OutgoingHttpHeaders;

/**
 * @param raw names and values in turns, as Node's HTTP/2 events have them
 * @param headers the same, as Node understands them
 */
export function metadataOf(raw: readonly string[], headers?: IncomingHttpHeaders): Metadata {
  // Without a prototype: a client may send a header of any name.
  const metadata: Metadata = Object.create(null);
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const [name = '', value = ''] = raw.slice(index, index + 2);
    if (name.startsWith(':')) continue;
    const before = metadata[name];
    metadata[name] = before === undefined ? value : [before, value].flat().map(String);
  }
  const sensitive = (headers as { [sensitiveHeaders]?: string[] } | undefined)?.[sensitiveHeaders] ?? [];
  const own = sensitive.filter((name) => !name.startsWith(':'));
  if (own.length > 0) Object.assign(metadata, { [sensitiveHeaders]: own });
  return metadata;
}

/** The first value of a header. */
export function firstValue(metadata: Metadata, name: string): string | undefined {
  const value = metadata[name];
  const first = Array.isArray(value) ? value[0] : value;
  return first === undefined ? undefined : String(first);
}
