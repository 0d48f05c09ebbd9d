import { PassThrough } from 'node:stream';
import { onTestFinished } from 'vitest';
import { createLayoutWriter, type LayoutWriter, named } from '../../../../src/cli/demo/layout-writer.ts';
import {
  type Descriptor,
  mediaTypes,
  parseReference,
  parseRepositoryName,
  type Reference,
  type RepositoryName,
} from '../../../../src/oci/index.ts';
import type { Upstream } from '../../../../src/proxy/upstream/index.ts';
import { createLayoutUpstream } from '../../../../src/proxy/upstream/layout/index.ts';
import { createLogger } from '../../../../src/telemetry/index.ts';

export const SIGNAL = new AbortController().signal;
export const NO_QUERY = new URLSearchParams();

/** An upstream over a folder, and the lines that it has logged. */
export function openLayout(folder: string): { upstream: Upstream; logged: () => string } {
  const destination = new PassThrough();
  const lines: string[] = [];
  destination.on('data', (line: Buffer) => lines.push(line.toString()));
  const upstream = createLayoutUpstream('airgap', folder, { log: createLogger('debug', destination) });
  onTestFinished(() => upstream.close());
  return { upstream, logged: () => lines.join('') };
}

export interface SampleImage {
  readonly manifest: Descriptor;
  readonly config: Descriptor;
  readonly layer: Descriptor;
}

export async function addImage(
  writer: LayoutWriter,
  layerContent: Uint8Array,
  more: Readonly<Record<string, unknown>> = {},
): Promise<SampleImage> {
  const layer = await writer.add(layerContent, mediaTypes.OCI_LAYER_GZIP);
  const config = await writer.addJson({ about: layer.digest }, mediaTypes.OCI_CONFIG);
  const manifest = await writer.addJson(
    { schemaVersion: 2, mediaType: mediaTypes.OCI_MANIFEST, config, layers: [layer], ...more },
    mediaTypes.OCI_MANIFEST,
  );
  return { manifest, config, layer };
}

/** A layout with the one image `team/app:1.0`. */
export async function writeImage(folder: string, layerContent: Uint8Array): Promise<SampleImage> {
  const writer = createLayoutWriter(folder);
  const image = await addImage(writer, layerContent);
  await writer.finish([named(image.manifest, 'team/app:1.0')]);
  return image;
}

export function repository(text: string): RepositoryName {
  const name = parseRepositoryName(text);
  if (!name) throw new Error(`${text} is no repository name`);
  return name;
}

export function reference(text: string): Reference {
  const parsed = parseReference(text);
  if (!parsed) throw new Error(`${text} is no reference`);
  return parsed;
}

export async function readAll(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
