import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below 32768 no outgoing connection is given a port, so only another server can be in the way.
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;
const TRIES = 50;

/**
 * A port that nothing listens on at this moment, for servers that cannot take port 0 or that come back on the
 * same port. Start the server at once, and try again when the port was taken in between.
 */
export async function findFreePort(host = '127.0.0.1'): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if (await isFree(host, port)) return port;
  }
  throw new Error(`no free port on ${host} after ${TRIES} tries`);
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
