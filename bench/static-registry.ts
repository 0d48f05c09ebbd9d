import { createHash } from 'node:crypto';
import { chmod, mkdir, open, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startNginx } from '../test/servers/index.ts';
import { createLargeLayer, digestOf } from '../test/support/layers.ts';
import { createTemporaryFolder } from '../test/support/temporary-folder.ts';

const MIB = 1024 ** 2;
const LARGE_BYTES = 1024 * MIB;
const MEDIUM_BYTES = 32 * MIB;
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';

/** What the repository `bench/app` holds. */
export interface Content {
  readonly large: { readonly digest: string; readonly sizeBytes: number };
  readonly medium: { readonly digest: string; readonly sizeBytes: number };
  /** Tagged `v1`. */
  readonly manifest: string;
}

/** A registry as fast as can be: nginx with the tree of one as plain files. */
export interface StaticRegistry {
  readonly url: string;
  readonly port: number;
  readonly content: Content;
  close(): Promise<void>;
}

export async function startStaticRegistry(): Promise<StaticRegistry> {
  const folder = await createTemporaryFolder('bench');
  await chmod(folder.path, 0o755);
  try {
    const content = await writeContent(folder.path);
    const nginx = await startNginx({ http: ([port]) => configuration(port, folder.path, content) });
    const port = nginx.ports[0] ?? 0;
    return {
      url: `http://127.0.0.1:${port}`,
      port,
      content,
      close: async () => {
        await nginx.close();
        await folder.close();
      },
    };
  } catch (error) {
    await folder.close();
    throw error;
  }
}

function configuration(port: number | undefined, folder: string, content: Content): string {
  return `
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000000;
  server {
    listen 127.0.0.1:${port};
    root ${folder};
    location = /v2/ {
      default_type application/json;
      add_header Docker-Distribution-API-Version registry/2.0;
      return 200 '{}';
    }
    location /v2/bench/app/manifests/ {
      default_type ${MANIFEST_TYPE};
      add_header Docker-Content-Digest ${content.manifest};
    }
    location ~ "^/v2/bench/app/blobs/(?<digest>sha256:[0-9a-f]{64})$" {
      default_type application/octet-stream;
      add_header Docker-Content-Digest $digest;
    }
  }`;
}

async function writeContent(folder: string): Promise<Content> {
  const repository = join(folder, 'v2/bench/app');
  await mkdir(join(repository, 'blobs'), { recursive: true });
  await mkdir(join(repository, 'manifests'));
  const large = await writeBlob(repository, LARGE_BYTES);
  const medium = await writeBlob(repository, MEDIUM_BYTES);
  const config = '{"os":"linux","architecture":"amd64"}';
  await writeFile(join(repository, 'blobs', digestOf(config)), config);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digestOf(config),
      size: config.length,
    },
    layers: [medium, large].map(({ digest, sizeBytes }) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest,
      size: sizeBytes,
    })),
  });
  const digest = digestOf(manifest);
  for (const reference of ['v1', digest]) await writeFile(join(repository, 'manifests', reference), manifest);
  return { large, medium, manifest: digest };
}

async function writeBlob(repository: string, sizeBytes: number) {
  const blob = createLargeLayer('large.bin', sizeBytes);
  const hash = createHash('sha256');
  const path = join(repository, 'blobs', 'unfinished');
  const file = await open(path, 'w');
  for (const chunk of blob.chunks()) {
    hash.update(chunk);
    await file.write(chunk);
  }
  await file.close();
  const digest = `sha256:${hash.digest('hex')}`;
  await rename(path, join(repository, 'blobs', digest));
  return { digest, sizeBytes: blob.sizeBytes };
}
