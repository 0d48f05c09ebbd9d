import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { digestOf } from '../../src/oci/index.ts';
import { createDeferred } from '../kubelet/image-service/deferred.ts';

const MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';
const LAYER_SIZE_BYTES = 10 * 1024 * 1024;

/** A registry with one image, `app:v1`, whose layer begins and never ends. */
export interface StallingRegistry {
  readonly image: string;
  /** Settles when the layer is asked for. */
  readonly layerRequest: Promise<void>;
  /** Settles when who asked for the layer has gone. */
  readonly left: Promise<void>;
  close(): Promise<void>;
}

export async function startStallingRegistry(): Promise<StallingRegistry> {
  const layer = digestOf(Buffer.from('never sent'));
  const config = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      config: {},
      rootfs: { type: 'layers', diff_ids: [layer] },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: {
        mediaType: 'application/vnd.docker.container.image.v1+json',
        digest: digestOf(config),
        size: config.length,
      },
      layers: [
        {
          mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
          digest: layer,
          size: LAYER_SIZE_BYTES,
        },
      ],
    }),
  );
  const layerRequest = createDeferred();
  const left = createDeferred();
  const server = createServer((request, response) => {
    const { url = '' } = request;
    if (url.includes('/manifests/')) {
      response.writeHead(200, {
        'content-type': MANIFEST_TYPE,
        'content-length': manifest.length,
        'docker-content-digest': digestOf(manifest),
      });
      response.end(request.method === 'HEAD' ? undefined : manifest);
    } else if (url.endsWith(digestOf(config))) {
      response.end(config);
    } else if (url.endsWith(layer)) {
      response.writeHead(200, { 'content-length': LAYER_SIZE_BYTES });
      response.write(Buffer.alloc(1024));
      layerRequest.resolve();
      response.once('close', () => left.resolve());
    } else {
      response.end('{}');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    image: `127.0.0.1:${port}/app:v1`,
    layerRequest: layerRequest.promise,
    left: left.promise,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
