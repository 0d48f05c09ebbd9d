import { gzipSync } from 'node:zlib';
import { type Descriptor, digestOf, mediaTypes } from '../../oci/index.ts';
import { ARCHITECTURES, type Architecture, helloExecutable } from './hello-executable.ts';
import { createLayoutWriter, type LayoutWriter, named } from './layout-writer.ts';
import { tarArchive } from './tar.ts';

export const GREETING = 'Hello from a private image, pulled through Docker Registry Proxy.\n';

/** Fixed, so that the same bytes come out everywhere and at all times. */
const CREATED = '2026-01-01T00:00:00Z';

const GZIP_SYSTEM_OFFSET = 9;
const GZIP_SYSTEM_UNKNOWN = 255;

/**
 * Writes an image layout with one small image for two architectures.
 * @param names what the image is called, such as `hello:latest`
 * @returns the descriptor of the image's index
 */
export async function writeSampleLayout(folder: string, names: readonly string[]): Promise<Descriptor> {
  const writer = createLayoutWriter(folder);
  const manifests: Descriptor[] = [];
  for (const architecture of ARCHITECTURES) manifests.push(await addPlatform(writer, architecture));
  const index = await writer.addJson(
    { schemaVersion: 2, mediaType: mediaTypes.OCI_INDEX, manifests },
    mediaTypes.OCI_INDEX,
  );
  await writer.finish(names.map((name) => named(index, name)));
  return index;
}

async function addPlatform(writer: LayoutWriter, architecture: Architecture): Promise<Descriptor> {
  const content = helloExecutable(architecture, GREETING);
  const archive = tarArchive([{ name: 'hello', mode: 0o755, content }]);
  const layer = await writer.add(gzip(archive), mediaTypes.OCI_LAYER_GZIP);
  const config = await writer.addJson(
    {
      created: CREATED,
      architecture,
      os: 'linux',
      config: { Entrypoint: ['/hello'] },
      rootfs: { type: 'layers', diff_ids: [digestOf(archive)] },
      history: [{ created: CREATED, created_by: 'drp demo' }],
    },
    mediaTypes.OCI_CONFIG,
  );
  const manifest = await writer.addJson(
    { schemaVersion: 2, mediaType: mediaTypes.OCI_MANIFEST, config, layers: [layer] },
    mediaTypes.OCI_MANIFEST,
  );
  return { ...manifest, platform: { architecture, os: 'linux' } };
}

/** Stored, not compressed, and without the name of the system: other versions of zlib would yield other bytes. */
function gzip(content: Buffer): Buffer {
  const compressed = gzipSync(content, { level: 0 });
  compressed[GZIP_SYSTEM_OFFSET] = GZIP_SYSTEM_UNKNOWN;
  return compressed;
}
