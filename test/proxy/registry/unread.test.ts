import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryUpstream } from './support/memory-upstream.ts';
import { bearer, type StartedRegistry, startRegistry } from './support/start-registry.ts';

const MIB = 1024 * 1024;

let registry: StartedRegistry;
let digest: string;

beforeEach(async () => {
  const upstream = memoryUpstream();
  digest = upstream.putBlob('app', Buffer.alloc(64 * MIB));
  upstream.putManifest('app', Buffer.alloc(16 * MIB, ' '), 'large');
  registry = await startRegistry({ upstreams: [upstream], server: { progressTimeout: '300ms' } });
});

afterEach(() => registry.close());

/** A connection that sends, and reads nothing. */
async function send(text: string) {
  const socket = connect(registry.port, '127.0.0.1').on('error', () => {});
  await once(socket, 'connect');
  socket.pause();
  socket.write(text);
  return socket;
}

function get(path: string, authorization = `Authorization: ${bearer().authorization}\r\n`): string {
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${registry.port}\r\n${authorization}\r\n`;
}

async function running(): Promise<number | undefined> {
  return (await registry.metrics.requestsRunning.get()).values[0]?.value;
}

describe('a client that goes away with requests on one connection still unanswered', () => {
  it.each([
    ['with a token', () => get(`/v2/app/blobs/${digest}`).repeat(3)],
    ['without one', () => get('/v2/', '').repeat(50_000)],
  ])('leaves nothing behind: %s', async (_, requests) => {
    const socket = await send(requests());
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.destroy();
    await expect.poll(running, { timeout: 3000 }).toBe(0);
    await registry.drain();
  });
});

it('a client that does not read a manifest is cut off', async () => {
  const socket = await send(get('/v2/app/manifests/large'));
  await expect.poll(() => registry.audit().length, { timeout: 5000 }).toBe(1);
  expect(await running()).toBe(0);
  socket.destroy();
});
