import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type DescMethod, fromBinary, fromJson, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf';
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  status,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { parseAddress } from '../../src/plugins/grpc/address.ts';
import { Verifier } from '../../src/plugins/grpc/gen/drp/plugin/v1/plugin_pb.ts';
import { loadedFile } from '../credentials/loaded-file.ts';
import { createCertificateAuthority } from '../support/certificates.ts';
import { ownFolder } from '../support/own-folder.ts';
import { errorOf, parseOptions, verifierOf } from './support.ts';

type Answer = (question: JsonValue) => JsonValue | Uint8Array;
const ADA: JsonValue = {
  identity: { name: 'ada', groups: ['platform'], claims: { n: 1.5, deep: { list: [null, true] } } },
};

/** A real gRPC server; answers are JSON, or bytes that are sent as they are. */
async function serve(
  address: string,
  answers: Readonly<Partial<Record<'describe' | 'verify' | 'renew', Answer>>>,
  credentials = ServerCredentials.createInsecure(),
) {
  const server = new Server();
  const methods = Object.keys(answers).map((name) => Verifier.method[name as 'verify'] as DescMethod);
  const definition = Object.fromEntries(
    methods.map((method) => [
      method.localName,
      {
        path: `/${Verifier.typeName}/${method.name}`,
        requestStream: false as const,
        responseStream: false as const,
        requestSerialize: (bytes: Buffer) => bytes,
        requestDeserialize: (bytes: Buffer) => toJson(method.input, fromBinary(method.input, bytes)),
        responseSerialize: (answer: JsonValue | Uint8Array) =>
          Buffer.from(
            answer instanceof Uint8Array ? answer : toBinary(method.output, fromJson(method.output, answer)),
          ),
        responseDeserialize: (bytes: Buffer) => bytes,
      },
    ]),
  );
  const handlers = Object.fromEntries(
    Object.entries(answers).map(([name, answer]) => [
      name,
      ((call: ServerUnaryCall<JsonValue, unknown>, respond: sendUnaryData<unknown>) => {
        try {
          respond(null, answer(call.request));
        } catch (error) {
          respond({ code: status.INTERNAL, details: (error as Error).message });
        }
      }) as UntypedHandleCall,
    ]),
  );
  server.addService(definition as ServiceDefinition, handlers);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(address, credentials, (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  onTestFinished(() => server.forceShutdown());
  return { port, stop: () => server.forceShutdown() };
}

async function socketAddress(): Promise<string> {
  return `unix://${join(await ownFolder(), 'plugin.sock')}`;
}

describe('a gRPC server', () => {
  it('is asked in the words of the protocol, and its answer comes through whole', async () => {
    const address = await socketAddress();
    const questions: JsonValue[] = [];
    await serve(address, {
      describe: () => ({ renew: true }),
      verify: (question) => {
        questions.push(question);
        return ADA;
      },
      renew: (question) => {
        questions.push(question);
        return { refused: { reason: 'gone' } };
      },
    });
    const { plugin, verify } = verifierOf(parseOptions({ type: 'grpc', address }));
    const answer = await verify('pass');
    if (answer.type !== 'identity') throw new Error(answer.type);
    expect(answer.identity.claims).toEqual({ n: 1.5, deep: { list: [null, true] } });
    const { signal } = new AbortController();
    expect(await plugin.renew({ ...answer.identity, anchor: 'mark' }, signal)).toEqual({
      type: 'refused',
      reason: 'gone',
    });
    expect(questions).toEqual([
      { username: 'ada', password: 'pass', context: { name: 'custom' } },
      {
        identity: { ...(ADA as { identity: object }).identity, anchor: 'mark' },
        context: { name: 'custom' },
      },
    ]);
  });

  it('that leaves Describe out does not renew', async () => {
    const address = await socketAddress();
    await serve(address, { verify: () => ADA });
    const { plugin, verify } = verifierOf(parseOptions({ type: 'grpc', address }));
    expect(await verify()).toMatchObject({ type: 'identity' });
    expect(plugin.renews).toBe(false);
  });

  it('that fails is out of order, with its status', async () => {
    const address = await socketAddress();
    await serve(address, {
      verify: () => {
        throw new Error('no database for canary-password');
      },
    });
    const { verify } = verifierOf(parseOptions({ type: 'grpc', address }));
    const error = await errorOf(verify('canary-password'));
    expect(error).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/^\[left out/),
    });
    expect(String((error.cause as Error | undefined)?.stack)).not.toContain('canary');
  });

  it('that nests its answer without end is nonsense', async () => {
    const address = await socketAddress();
    await serve(address, { verify: () => nestedStruct(20_000) });
    const { verify } = verifierOf(parseOptions({ type: 'grpc', address }));
    expect((await errorOf(verify())).code).toBe('nonsense');
  });

  it('that starts late, or comes back, is found again', async () => {
    const address = await socketAddress();
    const { verify } = verifierOf(parseOptions({ type: 'grpc', address, timeout: '2s' }));
    expect((await errorOf(verify())).code).toBe('unavailable');
    for (let time = 0; time < 2; time += 1) {
      const { stop } = await serve(address, { verify: () => ADA });
      await expect
        .poll(
          () =>
            verify().then(
              ({ type }) => type,
              () => 'not yet',
            ),
          { timeout: 15_000, interval: 500 },
        )
        .toBe('identity');
      stop();
      rmSync(address.replace('unix://', ''), { force: true });
    }
  });
});

describe('a gRPC server over TCP', () => {
  it('is spoken to with TLS where an authority is named, and both sides are known', async () => {
    const authority = await createCertificateAuthority();
    const server = await authority.issue(['127.0.0.1', 'localhost']);
    const other = await createCertificateAuthority('another authority');
    const secure = ServerCredentials.createSsl(
      Buffer.from(authority.certificatePem),
      [{ cert_chain: Buffer.from(server.certificatePem), private_key: Buffer.from(server.keyPem) }],
      false,
    );
    const { port } = await serve('127.0.0.1:0', { verify: () => ADA }, secure);
    const options = parseOptions({ type: 'grpc', address: `localhost:${port}` });
    const file = (text: string) => loadedFile(text);
    const trusting = { ...options, certificateAuthorityFile: file(authority.certificatePem) };
    expect(await verifierOf(trusting).verify()).toMatchObject({ type: 'identity' });
    const distrusting = { ...options, certificateAuthorityFile: file(other.certificatePem) };
    expect((await errorOf(verifierOf(distrusting).verify())).code).toBe('unavailable');
    expect((await errorOf(verifierOf(options).verify())).code).toBe('unavailable');
  });

  it('may do without on loopback', async () => {
    const { port } = await serve('127.0.0.1:0', { verify: () => ADA });
    const { verify } = verifierOf(parseOptions({ type: 'grpc', address: `127.0.0.1:${port}` }));
    expect(await verify()).toMatchObject({ type: 'identity' });
  });

  it('is not asked through a proxy of the environment', async () => {
    const { port } = await serve('127.0.0.1:0', { verify: () => ADA });
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    vi.stubEnv('grpc_proxy', 'http://127.0.0.1:1');
    const { verify } = verifierOf(parseOptions({ type: 'grpc', address: `localhost:${port}` }));
    expect(await verify()).toMatchObject({ type: 'identity' });
  });

  it('can not be made with a certificate that is none', () => {
    const options = parseOptions({ type: 'grpc', address: 'plugin.example.com:443' });
    expect(() => verifierOf({ ...options, certificateAuthorityFile: loadedFile('none', '/ca.crt') })).toThrow(
      "/ca.crt can't be used",
    );
  });
});

describe('an address', () => {
  it.each([
    ['unix:///run/plugin.sock', { target: 'unix:///run/plugin.sock', isLocal: true }],
    ['127.0.0.1:5000', { target: 'dns:127.0.0.1:5000', isLocal: true }],
    ['localhost:5000', { target: 'dns:localhost:5000', isLocal: true }],
    ['[::1]:5000', { target: 'dns:[::1]:5000', isLocal: true }],
    ['plugin.example.com:443', { target: 'dns:plugin.example.com:443', isLocal: false }],
    ['10.0.0.1:443', { target: 'dns:10.0.0.1:443', isLocal: false }],
    ['127.0.0.1.example.com:443', { target: 'dns:127.0.0.1.example.com:443', isLocal: false }],
    ['localhost.example.com:443', { target: 'dns:localhost.example.com:443', isLocal: false }],
    ['unix:80', { target: 'dns:unix:80', isLocal: false }],
  ])('may be %s', (text, address) => {
    expect(parseAddress(text)).toEqual(address);
  });

  it.each([
    '',
    'plugin',
    'plugin:0',
    'plugin:70000',
    'unix://relative',
    'unix:relative.sock',
    'https://plugin:443',
    'dns:plugin:443',
    'user@plugin:443',
    'a b:443',
    'plugin:443/path',
  ])('may not be %j', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

it('a certificate needs its key', () => {
  const address = 'plugin.example.com:443';
  expect(() => parseOptions({ type: 'grpc', address, certificateFile: 'a.crt' })).toThrow('go together');
  expect(() => parseOptions({ type: 'grpc', address, keyFile: 'a.key' })).toThrow('go together');
});

/** A VerifyResponse whose claims are structs in structs; by hand, because no library would write it. */
function nestedStruct(depth: number): Uint8Array {
  const parts: Buffer[] = [];
  let length = 0;
  const wrap = (tag: number) => {
    const head = Buffer.from([tag, ...varint(length)]);
    parts.push(head);
    length += head.length;
  };
  for (let level = 0; level < depth; level += 1) {
    wrap(0x2a); // Value.struct_value
    wrap(0x12); // FieldsEntry.value
    wrap(0x0a); // Struct.fields
  }
  wrap(0x1a); // Identity.claims
  const name = Buffer.from([0x0a, 0x03, ...Buffer.from('ada')]);
  parts.push(name);
  length += name.length;
  wrap(0x0a); // VerifyResponse.identity
  return Buffer.concat(parts.reverse());
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(Math.floor(value / 0x80))];
}
