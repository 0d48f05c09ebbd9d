// An image service with two images: the runtime's, or, with `--config`, one that asks the backend of that file.
// As ours it takes the socket that systemd has opened.
import { readFileSync } from 'node:fs';
import { createServer, connect } from 'node:http2';
import { rmSync } from 'node:fs';
import { execFile } from 'node:child_process';
import net from 'node:net';
import { parse } from 'yaml';

const args = process.argv.slice(2);
const option = (name) => args[args.indexOf(name) + 1];
const OURS = args.includes('--config');
const backend = OURS ? parse(readFileSync(option('--config'), 'utf8')).backend.socket : undefined;

const field = (number, bytes) => Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), Buffer.from(bytes)]);
const value = Buffer.from([0x08, 0x2a]);
const usage = Buffer.concat([Buffer.from([0x08, 0x01]), field(2, field(1, '/var/lib/images')), field(3, value), field(4, value)]);
const image = (id) => field(1, Buffer.concat([field(1, id), field(2, 'example.com/app:1'), Buffer.from([0x20, 0x2a])]));
const ANSWERS = {
  '/runtime.v1.ImageService/ImageFsInfo': field(1, usage),
  '/runtime.v1.ImageService/ListImages': Buffer.concat([image('sha256:aa'), image('sha256:bb')]),
};

const server = createServer();
server.on('stream', (stream, headers) => {
  stream.on('error', () => undefined);
  stream.resume();
  stream.on('end', async () => {
    const path = headers[':path'];
    const body = backend ? await forward(path).catch(() => undefined) : ANSWERS[path];
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': body ? '0' : '12' }));
    if (body) {
      const head = Buffer.alloc(5);
      head.writeUInt32BE(body.length, 1);
      stream.write(Buffer.concat([head, body]));
    }
    stream.end();
  });
});

function forward(path) {
  return new Promise((resolve, reject) => {
    const session = connect('http://localhost', { createConnection: () => net.connect(backend) });
    session.on('error', reject);
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
    const chunks = [];
    stream.on('error', reject);
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('end', () => {
      session.close();
      const body = Buffer.concat(chunks);
      resolve(body.length < 5 ? undefined : body.subarray(5));
    });
    stream.end(Buffer.alloc(5));
  });
}

if (OURS) {
  if (process.env.LISTEN_FDS !== '1') throw new Error('systemd has passed no socket');
  server.listen({ fd: 3 }, () => {
    const notify = (state) => execFile('/usr/bin/systemd-notify', [state]);
    if (process.env.NOTIFY_SOCKET) notify('READY=1');
    if (process.env.WATCHDOG_USEC) setInterval(notify, Number(process.env.WATCHDOG_USEC) / 3000, 'WATCHDOG=1');
  });
} else {
  rmSync(option('--listen'), { force: true });
  server.listen(option('--listen'));
}
