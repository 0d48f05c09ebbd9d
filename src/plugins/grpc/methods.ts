import {
  type DescMessage,
  type DescMethod,
  fromBinary,
  fromJson,
  type JsonValue,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
import { PluginError } from '../errors.ts';
import type { Method, Question } from '../transport.ts';
import { Provider, Verifier } from './gen/drp/plugin/v1/plugin_pb.ts';

const METHODS: Readonly<Record<Method, DescMethod>> = {
  describe: Verifier.method.describe,
  verify: Verifier.method.verify,
  renew: Verifier.method.renew,
  credential: Provider.method.credential,
};

/** The method of our protocol that a question is for. */
export function methodOf({ method }: Question): { readonly path: string; readonly answer: DescMessage } {
  const { parent, name, output } = METHODS[method];
  return { path: `/${parent.typeName}/${name}`, answer: output };
}

export function encodeQuestion({ method, body }: Question): Buffer {
  const schema = METHODS[method].input;
  // Through text, which leaves undefined values out.
  const message = fromJson(schema, JSON.parse(JSON.stringify(body)) as JsonValue);
  return Buffer.from(toBinary(schema, message));
}

/** @throws {PluginError} `nonsense` */
export function decodeAnswer(schema: DescMessage, bytes: Uint8Array): JsonValue {
  try {
    return toJson(schema, fromBinary(schema, bytes));
  } catch {
    throw new PluginError('nonsense', `answered ${bytes.length} bytes that are no ${schema.typeName}`);
  }
}
