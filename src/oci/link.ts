const MAXIMUM_LINK_LENGTH = 4096;

/**
 * The target of the `next` relation in a `Link` header, as written (absolute or relative).
 * @see RFC 8288, and the paging of the OCI distribution specification 1.1
 */
export function parseNextLink(header: string): string | undefined {
  if (header.length > MAXIMUM_LINK_LENGTH) return undefined;
  for (const [, target, parameters] of header.matchAll(/<([^>]*)>((?:\s*;\s*[^\s,;]+)*)/g)) {
    if (/;\s*rel\s*=\s*(?:"next"|next)\s*(?:;|$)/i.test(parameters ?? '')) return target;
  }
  return undefined;
}

export function formatNextLink(target: string): string {
  return `<${target}>; rel="next"`;
}
