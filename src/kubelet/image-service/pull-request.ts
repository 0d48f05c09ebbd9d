import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { type AuthConfig, AuthConfigSchema, PullImageRequestSchema } from './gen/runtime/v1/image_pb.ts';

const AUTH_FIELD = 2;

/** What has to be known of a PullImageRequest. */
export interface PullRequest {
  readonly image: string;
  /** What kubelet sent along. */
  readonly auth: AuthConfig | undefined;
}

/** @returns undefined for what is no such message */
export function readPullRequest(message: Uint8Array): PullRequest | undefined {
  try {
    const { image, auth } = fromBinary(PullImageRequestSchema, message);
    return { image: image?.image ?? '', auth };
  } catch {
    return undefined;
  }
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
    const bytes = toBinary(AuthConfigSchema, auth);
    parts.push(new BinaryWriter().tag(AUTH_FIELD, WireType.LengthDelimited).bytes(bytes).finish());
  }
  return Buffer.concat(parts);
}
