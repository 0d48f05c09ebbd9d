import { connect } from 'node:http2';
import { createConnection } from 'node:net';
import { SELF_PROBE_PATH } from './call-handler.ts';
import { frameMessage } from './grpc/index.ts';

/** Makes a call on a socket of ours, as kubelet would. Rejects when it is not answered. */
export async function probeSocket(path: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const session = connect('http://localhost', { createConnection: () => createConnection({ path }) });
  const abort = () => session.destroy(new Error('no answer in time'));
  signal.addEventListener('abort', abort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      session.once('error', reject);
      session.once('close', () => reject(new Error('the connection was closed')));
      const stream = session.request({
        ':method': 'POST',
        ':path': SELF_PROBE_PATH,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      stream.once('error', reject);
      stream.once('response', () => resolve());
      stream.end(frameMessage(Buffer.alloc(0)));
    });
  } finally {
    signal.removeEventListener('abort', abort);
    session.destroy();
  }
}
