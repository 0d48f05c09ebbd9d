import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { badRequest } from './request.ts';

/**
 * The certificate that a client showed: in its handshake with us, where TLS has checked that it has the key; or to a
 * trusted proxy, which has checked that and passes it on in a header (PEM, percent-encoded, as nginx has it in
 * `$ssl_client_escaped_cert`). Who it belongs to is for a verifier to say.
 * @param header name in lower case; undefined where no proxy passes certificates on
 * @param fromTrustedProxy whether the connection comes from a proxy whose headers are believed
 * @throws {RegistryError} for a header that holds no certificate
 */
export function readClientCertificate(
  { socket, headers }: IncomingMessage,
  header: string | undefined,
  fromTrustedProxy: boolean,
): X509Certificate | undefined {
  // A certificate in the handshake of a proxy that passes on those of its clients is its own, not theirs.
  const passedOn = header !== undefined && fromTrustedProxy;
  if (!passedOn) {
    return socket instanceof TLSSocket && socket.authorized ? socket.getPeerX509Certificate() : undefined;
  }
  const value = headers[header];
  if (typeof value !== 'string' || value === '') return undefined;
  try {
    return new X509Certificate(decodeURIComponent(value));
  } catch {
    throw badRequest(`the header ${header} does not hold a certificate`);
  }
}
