import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';
import {
  type Behaviour,
  describeFaults,
  GOOD_CREDENTIAL,
  GOOD_IDENTITY,
  SLOW_MS,
  WRONG_SCHEMA,
} from './fault-suite.ts';

interface Question {
  readonly describe?: object;
  readonly credential?: object;
  readonly verify?: { readonly password: string };
}

const GIBIBYTE = 1024 ** 3;

describeFaults('webhook', {
  create: async () => {
    let behaviour: Behaviour = 'good';
    let asked = 0;
    const server = createServer(async (request, response) => {
      const question: Question = JSON.parse(Buffer.concat(await request.toArray()).toString());
      if (question.describe) {
        response.end('{}');
        return;
      }
      asked += 1;
      answer(behaviour, question, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    return {
      options: { type: 'webhook', url: `http://127.0.0.1:${port}/drp` },
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

function answer(behaviour: Behaviour, question: Question, response: ServerResponse): void {
  switch (behaviour) {
    case 'good':
      response.end(JSON.stringify(goodAnswer(question)));
      break;
    case 'slow':
      setTimeout(() => answer('good', question, response), SLOW_MS);
      break;
    case 'hang':
      break;
    case 'crash':
      response.writeHead(200, { 'content-length': 1000 });
      response.write('{"identity":{"na', () => response.destroy());
      break;
    case 'flood':
      Readable.from(flood())
        .on('error', () => undefined)
        .pipe(response);
      break;
    case 'not-json':
      response.end(`oops ${question.verify?.password}`);
      break;
    case 'wrong-schema':
      response.end(JSON.stringify(WRONG_SCHEMA));
      break;
  }
}

function goodAnswer(question: Question): object {
  if (question.credential) return { credential: GOOD_CREDENTIAL };
  if (question.verify?.password === 'bad') return { refused: { reason: 'wrong password' } };
  return { identity: GOOD_IDENTITY, unknown: 1 };
}

function* flood(): Generator<Buffer> {
  const chunk = Buffer.alloc(64 * 1024, ' ');
  for (let sent = 0; sent < GIBIBYTE; sent += chunk.length) yield chunk;
}
