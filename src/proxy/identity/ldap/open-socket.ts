import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import { Client } from 'ldapts';
import { LdapSetupError } from './errors.ts';

/** Where a server is, and how the connection is protected. */
export interface LdapServer {
  /** For the log. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly protection: 'tls' | 'start-tls' | 'none';
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
const START_TLS_OID = '1.3.6.1.4.1.1466.20037';

/**
 * What servers' certificates are checked against.
 * @param certificateAuthority PEM; the system list when missing
 * @throws {LdapSetupError} where it holds no certificates
 */
export function createTrust(certificateAuthority: string | undefined): SecureContext {
  const minVersion = 'TLSv1.2';
  if (certificateAuthority === undefined) return createSecureContext({ minVersion });
  try {
    const certificates = certificateAuthority.match(CERTIFICATE) ?? [];
    if (certificates.length === 0) throw new Error('no PEM in it');
    return createSecureContext({
      // TLS would pass over one that can't be read.
      ca: certificates.map((pem) => new X509Certificate(pem).toString()),
      minVersion,
    });
  } catch (error) {
    throw new LdapSetupError('certificateAuthorityFile holds no PEM certificates', error);
  }
}

/**
 * Opens a connection that is ready for LDAP messages; with TLS, only to the server that was meant.
 * @throws what the network or TLS says, or the signal's reason
 */
export async function openSocket(
  server: LdapServer,
  trust: SecureContext,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  const { host, port, protection } = server;
  // The certificate is checked against `host`; an IP address may not be sent as a server name.
  const identity = { host, ...(isIP(host) === 0 && { servername: host }), secureContext: trust };
  if (protection === 'tls') {
    return ready(connectTls({ port, ...identity }), 'secureConnect', signal);
  }
  const socket = await ready(connectTcp({ host, port }), 'connect', signal);
  if (protection === 'none') return socket;
  await askForTls(socket, signal);
  return ready(connectTls({ socket, ...identity }), 'secureConnect', signal);
}

async function ready<S extends Socket>(socket: S, event: string, signal: AbortSignal): Promise<S> {
  // Until somebody uses the connection, losing it is no news.
  socket.on('error', () => undefined);
  try {
    await once(socket, event, { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw error;
  }
}

/**
 * The StartTLS operation (RFC 4511, section 4.14), by a client of its own: whatever came in the clear, half a
 * message too, goes away with it and is never taken for the beginning of what comes encrypted.
 */
async function askForTls(socket: Socket, signal: AbortSignal): Promise<void> {
  const client = new Client({ url: 'ldap://server', createConnection: () => socket });
  const abort = () => socket.destroy();
  signal.addEventListener('abort', abort, { once: true });
  try {
    await client.exop(START_TLS_OID);
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
    socket.removeAllListeners();
    socket.on('error', () => undefined);
  }
}
