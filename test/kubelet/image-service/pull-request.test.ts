import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  authConfig,
  decodeAuthConfig,
  encodeAuthConfig,
} from '../../../src/kubelet/image-service/auth-config.ts';
import {
  AuthConfigSchema,
  PullImageRequestSchema,
} from '../../../src/kubelet/image-service/gen/runtime/v1/image_pb.ts';
import { readPullRequest } from '../../../src/kubelet/image-service/pull-request.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const credential = fc.record({
  username: text,
  password: text,
  auth: text,
  serverAddress: text,
  identityToken: text,
  registryToken: text,
});
const request = fc.record(
  {
    image: fc.record({ image: text, runtimeHandler: text, annotations: fc.dictionary(text, text) }),
    auth: credential,
    sandboxConfig: fc.record({ hostname: text }),
  },
  { requiredKeys: [] },
);

/** What the generated code makes of the same bytes. */
function expected(message: Uint8Array) {
  const { image, auth } = fromBinary(PullImageRequestSchema, message);
  if (!auth) return { image: image?.image ?? '', auth: undefined };
  const { $typeName, $unknown, ...fields } = auth;
  return { image: image?.image ?? '', auth: fields };
}

const messageOf = (init: object) => toBinary(PullImageRequestSchema, create(PullImageRequestSchema, init));

describe('reading a PullImageRequest', () => {
  it('finds what the generated code finds, also where a message comes in parts', () => {
    fc.assert(
      fc.property(fc.array(request, { maxLength: 3 }), (parts) => {
        const message = Buffer.concat(parts.map(messageOf));
        expect(readPullRequest(message)).toEqual(expected(message));
      }),
    );
  });

  it('never throws, and finds no more than is there', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const read = readPullRequest(bytes);
        expect(read === undefined || typeof read.image === 'string').toBe(true);
      }),
    );
  });

  it('passes over a known field of an unknown form', () => {
    const message = new BinaryWriter().tag(1, WireType.Varint).uint32(7).tag(2, WireType.Bit32).fixed32(7);
    expect(readPullRequest(message.finish())).toEqual({ image: '', auth: undefined });
  });
});

describe('a credential in bytes', () => {
  it('is what the generated code writes and reads', () => {
    fc.assert(
      fc.property(credential, (fields) => {
        const bytes = encodeAuthConfig(authConfig(fields));
        expect(Buffer.from(bytes)).toEqual(
          Buffer.from(toBinary(AuthConfigSchema, create(AuthConfigSchema, fields))),
        );
        expect(decodeAuthConfig(bytes)).toEqual(authConfig(fields));
      }),
    );
  });
});
