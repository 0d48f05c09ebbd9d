import { connect as connectPlain, isIP } from 'node:net';
import { connect as connectTls, type PeerCertificate } from 'node:tls';

export interface Connected {
  readonly tls: boolean;
  /** Of the server; undefined without TLS. */
  readonly certificate: { readonly endsAt: number } | undefined;
}

const HTTPS_PORT = 443;
const HTTP_PORT = 80;

/** Opens one connection and ends it. @throws what the network or TLS says */
export function connectTo(url: URL, ca: string | undefined, signal: AbortSignal): Promise<Connected> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const tls = url.protocol === 'https:';
  const port = Number(url.port) || (tls ? HTTPS_PORT : HTTP_PORT);
  return new Promise((resolve, reject) => {
    const socket = tls
      ? connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }), ...(ca && { ca }) })
      : connectPlain({ host, port });
    const abort = (): void => void socket.destroy(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', reject);
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      const certificate = 'getPeerCertificate' in socket ? endOf(socket.getPeerCertificate()) : undefined;
      socket.destroy();
      resolve({ tls, certificate });
    });
    socket.once('close', () => {
      signal.removeEventListener('abort', abort);
      reject(new Error('the connection was closed'));
    });
  });
}

function endOf({ valid_to: end }: PeerCertificate): { endsAt: number } | undefined {
  const endsAt = Date.parse(end);
  return Number.isNaN(endsAt) ? undefined : { endsAt };
}
