import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** What people expect a registry on this machine to have. */
const USUAL_PORT = 5000;

/** The usual port of a registry when it is free, else any free one. */
export async function choosePort(): Promise<number> {
  return (await tryPort(USUAL_PORT).catch(() => undefined)) ?? tryPort(0);
}

/** @returns the port, which was free a moment ago. Rejects when it is taken. */
export async function tryPort(port: number): Promise<number> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  } finally {
    server.close();
  }
}
