import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type DockerRegistry, startDockerRegistry } from '../docker-registry.ts';
import type { Accounts } from './account.ts';
import type { EcrApi } from './ecr-api.ts';

/** A private registry of ECR: the real docker-registry behind the passwords that the API issued. */
export interface EcrRegistry {
  readonly url: string;
  /** The registry behind it, for pushing what a test pulls. */
  readonly open: DockerRegistry;
  /** Logins that were tried, in order. */
  readonly logins: readonly { readonly password: string; readonly status: number }[];
  /** Called before each request is looked at. */
  beforeEach(hook: ((path: string) => void) | undefined): void;
  close(): Promise<void>;
}

export async function startEcrRegistry(api: EcrApi, accounts: Accounts): Promise<EcrRegistry> {
  const open = await startDockerRegistry();
  const logins: { password: string; status: number }[] = [];
  let hook: ((path: string) => void) | undefined;

  function refusal(request: IncomingMessage): { status: number; message: string; code: string } | undefined {
    const [, basic] = /^Basic (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    if (basic === undefined) return { status: 401, code: 'UNAUTHORIZED', message: 'Not Authorized' };
    const [user = '', ...rest] = Buffer.from(basic, 'base64').toString().split(':');
    const password = rest.join(':');
    const known = user === 'AWS' ? api.passwordOf(password) : undefined;
    const found = !known
      ? { status: 401, code: 'UNAUTHORIZED', message: 'Not Authorized' }
      : known.expiresAt <= accounts.now()
        ? {
            status: 403,
            code: 'DENIED',
            message: 'Your authorization token has expired. Reauthenticate and try again.',
          }
        : undefined;
    logins.push({ password, status: found?.status ?? 200 });
    return found;
  }

  function answer(request: IncomingMessage, response: ServerResponse): void {
    hook?.(request.url ?? '');
    const refused = refusal(request);
    if (!refused) {
      forward(request, response);
      return;
    }
    const { status, code, message } = refused;
    response.writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'docker-distribution-api-version': 'registry/2.0',
      ...(status === 401 && { 'www-authenticate': `Basic realm="${url}/",service="ecr.amazonaws.com"` }),
    });
    response.end(JSON.stringify({ errors: [{ code, message }] }));
  }

  function forward(request: IncomingMessage, response: ServerResponse): void {
    const { authorization: _, ...headers } = request.headers;
    const onward = httpRequest(
      `${open.url}${request.url}`,
      { method: request.method ?? 'GET', headers },
      (reply) => {
        response.writeHead(reply.statusCode ?? 500, reply.headers);
        reply.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  }

  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    open,
    logins,
    beforeEach: (next) => {
      hook = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await open.close();
    },
  };
}
