import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { join } from 'node:path';
import { fromBinary, fromJson, type JsonValue, toBinary } from '@bufbuild/protobuf';
import { onTestFinished } from 'vitest';
import {
  CredentialResponseSchema,
  DescribeResponseSchema,
  VerifyRequestSchema,
  VerifyResponseSchema,
} from '../../../src/plugins/grpc/gen/drp/plugin/v1/plugin_pb.ts';
import { ownFolder } from '../../support/own-folder.ts';
import { type Behaviour, describeFaults, GOOD_CREDENTIAL, GOOD_IDENTITY, SLOW_MS } from './fault-suite.ts';

const GIBIBYTE = 1024 ** 3;

/** A server that speaks gRPC by hand, so that it can get it wrong. */
describeFaults('grpc', {
  create: async () => {
    let behaviour: Behaviour = 'good';
    let asked = 0;
    const server = createServer();
    const sessions = new Set<ServerHttp2Session>();
    server.on('session', (session) => {
      sessions.add(session);
      session.once('close', () => sessions.delete(session));
    });
    server.on('stream', async (stream, headers) => {
      stream.on('error', () => undefined);
      const path = String(headers[':path']);
      const question = Buffer.concat(await stream.toArray()).subarray(5);
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      if (path.endsWith('/Describe')) {
        end(stream, toBinary(DescribeResponseSchema, fromJson(DescribeResponseSchema, {})));
        return;
      }
      asked += 1;
      answer(behaviour, path, question, stream);
    });
    const socket = join(await ownFolder(), 'plugin.sock');
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    onTestFinished(() => {
      for (const session of sessions) session.destroy();
      server.close();
    });
    return {
      options: { type: 'grpc', address: `unix://${socket}` },
      become: (next) => {
        behaviour = next;
      },
      asked: () => asked,
    };
  },
  codes: {
    hang: 'timeout',
    crash: 'unavailable',
    flood: 'nonsense',
    'not-json': 'nonsense',
    'wrong-schema': 'nonsense',
  },
});

function answer(behaviour: Behaviour, path: string, question: Uint8Array, stream: ServerHttp2Stream): void {
  switch (behaviour) {
    case 'good':
      end(stream, goodAnswer(path, question));
      break;
    case 'slow':
      setTimeout(() => answer('good', path, question, stream), SLOW_MS);
      break;
    case 'hang':
      break;
    case 'crash':
      stream.write(frame(1000).subarray(0, 4), () => stream.session?.destroy());
      break;
    case 'flood':
      stream.write(frame(GIBIBYTE));
      pour(stream, 0);
      break;
    case 'not-json':
      end(stream, Buffer.from('\xff\xff\xff not protobuf', 'latin1'));
      break;
    case 'wrong-schema':
      // A message with neither field of the answer.
      end(stream, new Uint8Array());
      break;
  }
}

function goodAnswer(path: string, question: Uint8Array): Uint8Array {
  if (path.endsWith('/Credential')) {
    return toBinary(
      CredentialResponseSchema,
      fromJson(CredentialResponseSchema, { credential: GOOD_CREDENTIAL }),
    );
  }
  const { password } = fromBinary(VerifyRequestSchema, question);
  const json: JsonValue =
    password === 'bad' ? { refused: { reason: 'wrong password' } } : { identity: GOOD_IDENTITY };
  return toBinary(VerifyResponseSchema, fromJson(VerifyResponseSchema, json));
}

function end(stream: ServerHttp2Stream, message: Uint8Array): void {
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.concat([frame(message.length), message]));
}

/** What stands before a message: not compressed, and its length. */
function frame(length: number): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(length, 1);
  return prefix;
}

function pour(stream: ServerHttp2Stream, sent: number): void {
  const chunk = Buffer.alloc(64 * 1024);
  if (stream.destroyed || sent >= GIBIBYTE) return;
  stream.write(chunk, (error) => {
    if (!error) pour(stream, sent + chunk.length);
  });
}
