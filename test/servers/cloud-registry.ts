import { type IncomingMessage, type ServerResponse, request as sendRequest } from 'node:http';
import { type DockerRegistry, startDockerRegistry } from './docker-registry.ts';
import {
  type HttpService,
  type ServiceAnswer,
  type ServiceRequest,
  startHttpService,
} from './http-service.ts';
import { startTokenRealm, type TokenRealm } from './token-realm.ts';

export interface CloudRegistryOptions {
  /** Path of the token endpoint, such as `/oauth2/token`. */
  readonly tokenPath: string;
  /** What a login that gets no token hears; undefined where it gets one. */
  readonly refuse: (username: string, password: string) => ServiceAnswer | undefined;
  /** Told which login has got a token. */
  readonly onToken?: (token: string, username: string) => void;
  /**
   * Looks at a request to the registry before it goes on.
   * @returns headers for its answer; with `refusal`, an answer in its place
   */
  readonly inspect?: (request: IncomingMessage) => Inspection;
  /** Whatever else the registry's host answers outside of `/v2/`. */
  readonly answer?: (request: ServiceRequest) => Promise<ServiceAnswer> | undefined;
}

export interface Inspection {
  readonly headers: Readonly<Record<string, string>>;
  readonly refusal?: ServiceAnswer;
}

/** A registry of a cloud: its own token endpoint on its own host, and the real docker-registry behind it. */
export interface CloudRegistry {
  readonly service: HttpService;
  /** `http://host:port`. */
  readonly url: string;
  /** For pushing test images past the login. */
  issue(...scopes: string[]): Promise<string>;
  close(): Promise<void>;
}

export async function startCloudRegistry(options: CloudRegistryOptions): Promise<CloudRegistry> {
  const { tokenPath, refuse } = options;
  // It signs what docker-registry trusts; nobody asks at its own address.
  const realm: TokenRealm = await startTokenRealm({ username: 'cloud', password: 'unused' });
  let registry: DockerRegistry | undefined;

  async function answer(request: ServiceRequest): Promise<ServiceAnswer> {
    if (request.url.pathname !== tokenPath)
      return (await options.answer?.(request)) ?? { status: 404, body: {} };
    const basic = /^Basic (.*)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const shown = Buffer.from(basic, 'base64').toString();
    const colon = shown.indexOf(':');
    const refusal = refuse(shown.slice(0, colon), shown.slice(colon + 1));
    if (refusal) return refusal;
    const scopes = request.url.searchParams.getAll('scope').flatMap((scope) => scope.split(' '));
    const token = await realm.issue(...scopes);
    options.onToken?.(token, shown.slice(0, colon));
    return { status: 200, body: { access_token: token, token, expires_in: 300 } };
  }

  function passOn(request: IncomingMessage, response: ServerResponse): void {
    const { method, url, headers } = request;
    const inspection = options.inspect?.(request);
    if (inspection?.refusal) {
      const { status, body } = inspection.refusal;
      response.writeHead(status, { 'content-type': 'application/json', ...inspection.headers });
      response.end(JSON.stringify(body));
      return;
    }
    const target = new URL(registry?.url ?? '');
    const onward = sendRequest(
      { host: target.hostname, port: target.port, method, path: url, headers },
      (reply) => {
        response.writeHead(reply.statusCode ?? 502, { ...reply.headers, ...inspection?.headers });
        reply.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  }

  const service = await startHttpService(answer, {
    takes: ({ pathname }) => pathname.startsWith('/v2/') && pathname !== tokenPath,
    handle: passOn,
  });
  registry = await startDockerRegistry({
    authentication: {
      type: 'token',
      realm: `${service.origin}${tokenPath}`,
      service: realm.service,
      issuer: realm.issuer,
      certificatePem: realm.certificatePem,
    },
  });
  const behind = registry;
  return {
    service,
    url: service.origin,
    issue: realm.issue,
    close: async () => {
      await Promise.all([service.close(), behind.close(), realm.close()]);
    },
  };
}
