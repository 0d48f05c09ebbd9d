import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createBlob } from './layers.ts';

/** What goes wrong with the next answers. */
export type Fault =
  | { readonly type: 'none' }
  /** The connection breaks once in the middle of a blob. */
  | { readonly type: 'reset-once' }
  /** The connection breaks in the middle of every answer with a blob. */
  | { readonly type: 'reset-always' }
  | { readonly type: 'wrong-byte' }
  /** Fewer bytes than the blob has, and a length to match. */
  | { readonly type: 'short-body' }
  | {
      readonly type: 'status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      /** How often; for ever when missing. */
      readonly times?: number;
    };

/** A registry of one image, that breaks on command. */
export interface FaultyRegistry {
  readonly url: string;
  readonly port: number;
  /** As it ought to arrive. */
  readonly blob: { readonly digest: string; readonly bytes: Buffer };
  readonly manifest: { readonly digest: string; readonly bytes: Buffer };
  readonly repository: string;
  fail(fault: Fault): void;
  /** `METHOD path range` of each request. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const REPOSITORY = 'acme/app';

/** Starts the registry; with a `port`, on that one. */
export async function startFaultyRegistry(
  blobContent: Buffer,
  options: { readonly port?: number } = {},
): Promise<FaultyRegistry> {
  const blob = createBlob(blobContent);
  const config = createBlob('{"os":"linux","architecture":"amd64"}');
  const manifest = createBlob(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: config.digest,
        size: config.bytes.length,
      },
      layers: [
        {
          mediaType: 'application/vnd.oci.image.layer.v1.tar',
          digest: blob.digest,
          size: blob.bytes.length,
        },
      ],
    }),
  );
  const requests: string[] = [];
  let fault: Fault = { type: 'none' };
  let answeredFaults = 0;

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    requests.push(`${request.method} ${path} ${request.headers.range ?? ''}`.trimEnd());
    if (path === '/v2/') {
      response.end('{}');
      return;
    }
    if (fault.type === 'status' && answeredFaults++ < (fault.times ?? Number.POSITIVE_INFINITY)) {
      response.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers });
      response.end('{"errors":[{"code":"UNKNOWN","message":"told to fail"}]}');
      return;
    }
    const content = [blob, config, manifest].find(({ digest }) => path.endsWith(`/${digest}`));
    if (path === `/v2/${REPOSITORY}/manifests/v1` || content === manifest) {
      send(request, response, manifest.bytes, MANIFEST_TYPE, manifest.digest);
    } else if (content) {
      sendBlob(request, response, content);
    } else {
      response.writeHead(404).end('{"errors":[{"code":"BLOB_UNKNOWN"}]}');
    }
  }

  function sendBlob(request: IncomingMessage, response: ServerResponse, content: typeof blob): void {
    let { bytes } = content;
    if (fault.type === 'wrong-byte') {
      bytes = Buffer.from(bytes);
      const middle = bytes.length >> 1;
      bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    }
    if (fault.type === 'short-body') bytes = bytes.subarray(0, -1);
    const breaks = fault.type === 'reset-always' || (fault.type === 'reset-once' && answeredFaults++ === 0);
    send(request, response, bytes, 'application/octet-stream', content.digest, breaks);
  }

  function send(
    request: IncomingMessage,
    response: ServerResponse,
    bytes: Buffer,
    type: string,
    digest: string,
    breaks = false,
  ): void {
    const [, first] = /^bytes=(\d+)-/.exec(request.headers.range ?? '') ?? [];
    const body = bytes.subarray(Number(first ?? 0));
    response.writeHead(first === undefined ? 200 : 206, {
      'content-type': type,
      'content-length': body.length,
      'docker-content-digest': digest,
      ...(first !== undefined && {
        'content-range': `bytes ${first}-${bytes.length - 1}/${bytes.length}`,
      }),
    });
    if (breaks) {
      response.write(body.subarray(0, body.length >> 1), () => response.socket?.resetAndDestroy());
    } else {
      response.end(request.method === 'HEAD' ? undefined : body);
    }
  }

  const server = createServer(answer);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    blob,
    manifest,
    repository: REPOSITORY,
    requests,
    fail: (next) => {
      fault = next;
      answeredFaults = 0;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
