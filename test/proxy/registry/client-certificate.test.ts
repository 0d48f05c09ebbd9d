import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { expect, it } from 'vitest';
import { readClientCertificate } from '../../../src/proxy/registry/client-certificate.ts';

it("a trusted proxy's own certificate never stands for its clients", () => {
  const own = 'the certificate of the connection';
  const socket = Object.create(TLSSocket.prototype, {
    authorized: { value: true },
    getPeerX509Certificate: { value: () => own },
  });
  const request = { socket, headers: {} } as IncomingMessage;
  expect(readClientCertificate(request, 'x-client-certificate', true)).toBeUndefined();
  expect(readClientCertificate(request, 'x-client-certificate', false)).toBe(own);
  expect(readClientCertificate(request, undefined, true)).toBe(own);
});
