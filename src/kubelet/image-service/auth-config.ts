import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** The credential in a PullImageRequest: `AuthConfig` of the CRI, v1 and v1alpha2. An empty field is one that is not set. */
export interface AuthConfig {
  readonly username: string;
  readonly password: string;
  /** User name and password as `base64(username:password)`. */
  readonly auth: string;
  /** The registry that the credential is for. */
  readonly serverAddress: string;
  readonly identityToken: string;
  readonly registryToken: string;
}

/** By field number, from 1. */
const FIELDS = ['username', 'password', 'auth', 'serverAddress', 'identityToken', 'registryToken'] as const;

/** @param fields what is set */
export function authConfig(fields: Partial<AuthConfig>): AuthConfig {
  return {
    username: '',
    password: '',
    auth: '',
    serverAddress: '',
    identityToken: '',
    registryToken: '',
    ...fields,
  };
}

/**
 * Without the generated code, which every node would have to keep in memory for this one message.
 * @param before a part of the same message that came earlier: later fields win
 * @throws when the bytes are no such message
 */
export function decodeAuthConfig(bytes: Uint8Array, before: AuthConfig = authConfig({})): AuthConfig {
  const fields: Partial<Record<keyof AuthConfig, string>> = {};
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const field = FIELDS[number - 1];
    if (field && wireType === WireType.LengthDelimited) fields[field] = reader.string();
    else reader.skip(wireType, number);
  }
  return { ...before, ...fields };
}

export function encodeAuthConfig(auth: AuthConfig): Uint8Array {
  const writer = new BinaryWriter();
  FIELDS.forEach((field, index) => {
    if (auth[field] !== '') writer.tag(index + 1, WireType.LengthDelimited).string(auth[field]);
  });
  return writer.finish();
}
