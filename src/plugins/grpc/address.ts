import { isLoopbackHost } from '../../core/index.ts';

export interface GrpcAddress {
  /** As gRPC names it. */
  readonly target: string;
  /** Whether nobody else can listen in. */
  readonly isLocal: boolean;
}

/** Reads `unix:///path` or `host:port`; undefined for anything else. */
export function parseAddress(text: string): GrpcAddress | undefined {
  if (/^unix:\/\/\/[^\0]+$/.test(text)) return { target: text, isLocal: true };
  const [, host, port] = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined;
  return { target: `dns:${host}:${port}`, isLocal: isLoopbackHost(host) };
}
