import { type Digest, parseDigest } from './digest.ts';

/** What a manifest says of one piece of content. @see OCI image specification, "Descriptors" */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Readonly<Record<string, unknown>>;
}

/**
 * Takes the known fields of a descriptor and no others; a descriptor's `urls` in particular are never kept,
 * because nothing may ever follow them.
 */
export function parseDescriptor(value: unknown): Descriptor | undefined {
  if (!isRecord(value)) return undefined;
  const digest = typeof value.digest === 'string' ? parseDigest(value.digest) : undefined;
  if (!digest || typeof value.mediaType !== 'string' || !Number.isSafeInteger(value.size)) return undefined;
  return {
    mediaType: value.mediaType,
    digest,
    size: Number(value.size),
    ...(typeof value.artifactType === 'string' && { artifactType: value.artifactType }),
    ...(isStringRecord(value.annotations) && { annotations: value.annotations }),
    ...(isRecord(value.platform) && { platform: value.platform }),
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStringRecord(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((entry) => typeof entry === 'string');
}
