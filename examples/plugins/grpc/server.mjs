// A plugin that is a gRPC server, in JavaScript. Say where it listens: node server.mjs unix:///run/example.sock
import { fromBinary, fromJson, toBinary, toJson } from '@bufbuild/protobuf';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { openDirectory } from '../directory/directory.mjs';
import { Provider, Verifier } from './gen/drp/plugin/v1/plugin_pb.js';

const address = process.argv[2] ?? 'unix:///run/example.sock';
const directory = openDirectory(new URL('../directory/', import.meta.url));

/** gRPC wants to know how each message becomes bytes. Here they become JSON on our side, which is easier to work with. */
function definitionOf(service) {
  const methods = service.methods.map((method) => [
    method.localName,
    {
      path: `/${service.typeName}/${method.name}`,
      requestStream: false,
      responseStream: false,
      requestSerialize: (json) => Buffer.from(toBinary(method.input, fromJson(method.input, json))),
      requestDeserialize: (bytes) => toJson(method.input, fromBinary(method.input, bytes)),
      responseSerialize: (json) => Buffer.from(toBinary(method.output, fromJson(method.output, json))),
      responseDeserialize: (bytes) => toJson(method.output, fromBinary(method.output, bytes)),
    },
  ]);
  return Object.fromEntries(methods);
}

function answering(answer) {
  return ({ request }, respond) => {
    try {
      respond(null, answer(request));
    } catch (error) {
      respond(null, { error: { message: error.message } });
    }
  };
}

const server = new Server();
server.addService(definitionOf(Verifier), {
  describe: answering(() => ({ renew: true })),
  verify: answering((request) => directory.verify(request)),
  renew: answering((request) => directory.renew(request)),
});
server.addService(definitionOf(Provider), {
  credential: answering((request) => directory.credential(request)),
});
server.bindAsync(address, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
  console.log(`listening on ${address}`);
});
process.once('SIGTERM', () => server.forceShutdown());
