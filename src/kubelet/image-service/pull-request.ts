import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { type AuthConfig, decodeAuthConfig, encodeAuthConfig } from './auth-config.ts';

/** Of PullImageRequest. */
const IMAGE_FIELD = 1;
const AUTH_FIELD = 2;
/** Of ImageSpec. */
const REFERENCE_FIELD = 1;

/** What has to be known of a PullImageRequest. */
export interface PullRequest {
  readonly image: string;
  /** What kubelet sent along. */
  readonly auth: AuthConfig | undefined;
}

/** @returns undefined for what is no such message */
export function readPullRequest(message: Uint8Array): PullRequest | undefined {
  try {
    return decodePullRequest(message);
  } catch {
    return undefined;
  }
}

/** A field that comes twice is one: its parts are put together, as protobuf has it. */
function decodePullRequest(message: Uint8Array): PullRequest {
  let image = '';
  let auth: AuthConfig | undefined;
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType !== WireType.LengthDelimited) reader.skip(wireType, field);
    else if (field === IMAGE_FIELD) image = decodeReference(reader.bytes()) ?? image;
    else if (field === AUTH_FIELD) auth = decodeAuthConfig(reader.bytes(), auth);
    else reader.skip(wireType, field);
  }
  return { image, auth };
}

function decodeReference(imageSpec: Uint8Array): string | undefined {
  let reference: string | undefined;
  const reader = new BinaryReader(imageSpec);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === REFERENCE_FIELD && wireType === WireType.LengthDelimited) reference = reader.string();
    else reader.skip(wireType, field);
  }
  return reference;
}

/**
 * The same request with another credential, or none. Every other field stays as it is and where it is, known or not;
 * the new credential comes last.
 */
export function withAuth(message: Uint8Array, auth: AuthConfig | undefined): Buffer {
  const parts: Uint8Array[] = [];
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [field, wireType] = reader.tag();
    reader.skip(wireType, field);
    if (field !== AUTH_FIELD) parts.push(message.subarray(start, reader.pos));
  }
  if (auth) {
    const bytes = encodeAuthConfig(auth);
    parts.push(new BinaryWriter().tag(AUTH_FIELD, WireType.LengthDelimited).bytes(bytes).finish());
  }
  return Buffer.concat(parts);
}
