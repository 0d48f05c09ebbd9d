import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Descriptor, digestAlgorithm, digestHex, digestOf, mediaTypes } from '../../oci/index.ts';

/** Writes an OCI image layout piece by piece. @see OCI image specification, "OCI Image Layout" */
export interface LayoutWriter {
  /** Writes a blob and says what a manifest has to know of it. */
  add(content: Uint8Array, mediaType: string): Promise<Descriptor>;
  /** The same for anything that is JSON: configs, manifests, indexes. */
  addJson(value: unknown, mediaType: string): Promise<Descriptor>;
  /** Writes `oci-layout` and `index.json`; last, because only now the layout is whole. */
  finish(entries: readonly Descriptor[]): Promise<void>;
}

export function createLayoutWriter(folder: string): LayoutWriter {
  const add = async (content: Uint8Array, mediaType: string): Promise<Descriptor> => {
    const digest = digestOf(content);
    const blobs = join(folder, 'blobs', digestAlgorithm(digest));
    await mkdir(blobs, { recursive: true });
    await writeFile(join(blobs, digestHex(digest)), content);
    return { mediaType, digest, size: content.length };
  };
  return {
    add,
    addJson: (value, mediaType) => add(jsonBytes(value), mediaType),
    finish: async (entries) => {
      const index = { schemaVersion: 2, mediaType: mediaTypes.OCI_INDEX, manifests: entries };
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'oci-layout'), jsonBytes({ imageLayoutVersion: '1.0.0' }));
      await writeFile(join(folder, 'index.json'), jsonBytes(index));
    },
  };
}

/** An entry of `index.json` that is called `name`, as in `team/app:1.0`. */
export function named(entry: Descriptor, name: string): Descriptor {
  return {
    ...entry,
    annotations: { ...entry.annotations, 'org.opencontainers.image.ref.name': name },
  };
}

function jsonBytes(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
