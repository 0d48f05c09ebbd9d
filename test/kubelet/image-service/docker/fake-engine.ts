import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { ownFolder } from '../../../support/own-folder.ts';

/** A request, as the engine saw it. */
export interface SeenRequest {
  readonly method: string;
  /** Without the version. */
  readonly path: string;
  readonly version: string;
  readonly query: URLSearchParams;
  readonly registryAuth: string | undefined;
}

/** An image as `GET /images/{name}/json` shows it. */
export interface FakeImage {
  readonly Id: string;
  readonly RepoTags?: readonly string[] | null;
  readonly RepoDigests?: readonly string[] | null;
  readonly Size?: number;
  readonly [key: string]: unknown;
}

export interface FakeEngineOptions {
  /** Of `GET /version`. */
  readonly apiVersion?: string;
  readonly minimumApiVersion?: string | undefined;
  readonly images?: readonly FakeImage[];
  readonly info?: Readonly<Record<string, unknown>>;
  /** Answers a pull. Without it, the lines of a pull that went well. */
  readonly pull?: (response: ServerResponse, request: SeenRequest) => void | Promise<void>;
  /** Goes before everything else; true when it has answered. */
  readonly intercept?: (response: ServerResponse, request: SeenRequest) => boolean | Promise<boolean>;
}

/** The Engine API as Docker Engine speaks it, over a unix socket, with the images that a test wants. */
export interface FakeEngine {
  readonly socket: string;
  readonly seen: SeenRequest[];
  /** Names of images that were deleted, in order. */
  readonly deleted: string[];
  options: FakeEngineOptions;
  close(): Promise<void>;
}

export const ID = `sha256:${'1'.repeat(64)}`;
export const DIGEST = `sha256:${'d'.repeat(64)}`;

export const APP: FakeImage = {
  Id: ID,
  RepoTags: ['docker.example.com/team/app:v1'],
  RepoDigests: [`docker.example.com/team/app@${DIGEST}`],
  Size: 1234,
  Created: '2026-01-02T03:04:05Z',
  Architecture: 'amd64',
  Os: 'linux',
  Config: { User: '1000:1000', Labels: { team: 'a' }, Env: ['PATH=/bin'] },
  RootFS: { Type: 'layers', Layers: [`sha256:${'2'.repeat(64)}`] },
};

/** Starts one on a socket of its own; it ends with the running test. */
export async function startFakeEngine(options: FakeEngineOptions = {}, socket?: string): Promise<FakeEngine> {
  const engine: FakeEngine = {
    socket: socket ?? join(await ownFolder(), 'docker.sock'),
    seen: [],
    deleted: [],
    options,
    close: () => close(server),
  };
  const server = createServer((request, response) => {
    answer(engine, request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(engine.socket, resolve);
  });
  onTestFinished(() => engine.close());
  return engine;
}

/** The pieces of a pull's answer. */
export function line(value: unknown): string {
  return `${JSON.stringify(value)}\r\n`;
}

export function sendError(response: ServerResponse, status: number, message: string): void {
  sendJson(response, status, { message });
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

async function answer(engine: FakeEngine, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '', 'http://docker');
  const [, version = '', path = ''] = /^(?:\/v([\d.]+))?(\/.*)$/.exec(url.pathname) ?? [];
  const header = request.headers['x-registry-auth'];
  const seen: SeenRequest = {
    method: request.method ?? '',
    path: decodeURIComponent(path),
    version,
    query: url.searchParams,
    registryAuth: typeof header === 'string' ? header : undefined,
  };
  engine.seen.push(seen);
  const { options } = engine;
  if (await options.intercept?.(response, seen)) return;
  const refusal = refuseVersion(version, options);
  if (refusal !== undefined) return sendError(response, 400, refusal);
  const { apiVersion = '1.44', minimumApiVersion } = options;
  switch (`${seen.method} ${seen.path.replace(/^\/images\/(?!json$|create$).*/, '/images/NAME')}`) {
    case 'GET /version':
      return sendJson(response, 200, { ApiVersion: apiVersion, MinAPIVersion: minimumApiVersion });
    case 'GET /info':
      return sendJson(response, 200, options.info ?? { DockerRootDir: '/' });
    case 'GET /images/json':
      return sendJson(response, 200, options.images ?? []);
    case 'GET /containers/json':
      return sendJson(response, 200, options.info?.containers ?? []);
    case 'POST /images/create':
      return pull(options, response, seen);
    case 'GET /images/NAME':
      return inspect(options, response, seen.path.slice('/images/'.length, -'/json'.length));
    case 'DELETE /images/NAME':
      engine.deleted.push(seen.path.slice('/images/'.length));
      return sendJson(response, 200, [{ Untagged: 'it' }]);
    default:
      return sendError(response, 404, 'page not found');
  }
}

/** In Docker Engine's words. */
function refuseVersion(version: string, { apiVersion = '1.44', minimumApiVersion }: FakeEngineOptions) {
  if (version === '') return undefined;
  const minor = (text: string) => Number(text.split('.')[1]);
  if (minor(version) > minor(apiVersion)) {
    return `client version ${version} is too new. Maximum supported API version is ${apiVersion}`;
  }
  if (minimumApiVersion !== undefined && minor(version) < minor(minimumApiVersion)) {
    return `client version ${version} is too old. Minimum supported API version is ${minimumApiVersion}, please upgrade your client to a newer version`;
  }
  return undefined;
}

async function pull(options: FakeEngineOptions, response: ServerResponse, seen: SeenRequest): Promise<void> {
  if (options.pull) return options.pull(response, seen);
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write(line({ status: `Pulling from ${seen.query.get('fromImage')}`, id: seen.query.get('tag') }));
  response.write(line({ status: 'Pull complete', progressDetail: {}, id: 'abc' }));
  response.end(line({ status: 'Status: Downloaded newer image' }));
}

/** By name, by id, and by the beginning of an id, as Docker Engine looks for it. */
function inspect({ images = [] }: FakeEngineOptions, response: ServerResponse, name: string): void {
  const tagged = /[@:][^/]*$/.test(name) ? name : `${name}:latest`;
  const hex = name.replace(/^sha256:/, '');
  const found =
    images.find(({ RepoTags, RepoDigests }) => RepoTags?.includes(tagged) || RepoDigests?.includes(name)) ??
    images.find(({ Id }) => /^[0-9a-f]+$/.test(hex) && Id.startsWith(`sha256:${hex}`));
  if (found) sendJson(response, 200, found);
  else sendError(response, 404, `No such image: ${name}`);
}
