#!/usr/bin/env python3
"""A plugin that is a gRPC server, in Python. On Debian: apt install python3-grpcio protobuf-compiler libprotobuf-dev

protoc --proto_path=proto --python_out=examples/plugins/grpc drp/plugin/v1/plugin.proto
examples/plugins/grpc/server.py unix:///run/example.sock
"""

import os
import sys
from concurrent import futures

import grpc
from google.protobuf.json_format import MessageToDict, ParseDict

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "directory"))
sys.dont_write_bytecode = True

import directory  # noqa: E402
from drp.plugin.v1 import plugin_pb2 as pb  # noqa: E402


def method(request, response, answer):
    def handle(message, _context):
        return ParseDict(answer(MessageToDict(message)), response())

    return grpc.unary_unary_rpc_method_handler(
        handle, request_deserializer=request.FromString, response_serializer=response.SerializeToString
    )


verifier = {
    "Describe": method(pb.DescribeRequest, pb.DescribeResponse, lambda _: {"renew": True}),
    "Verify": method(pb.VerifyRequest, pb.VerifyResponse, directory.verify),
    "Renew": method(pb.RenewRequest, pb.RenewResponse, directory.renew),
}
provider = {"Credential": method(pb.CredentialRequest, pb.CredentialResponse, directory.credential)}

address = sys.argv[1] if len(sys.argv) > 1 else "unix:///run/example.sock"
server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
server.add_generic_rpc_handlers(
    (
        grpc.method_handlers_generic_handler("drp.plugin.v1.Verifier", verifier),
        grpc.method_handlers_generic_handler("drp.plugin.v1.Provider", provider),
    )
)
server.add_insecure_port(address)
server.start()
print(f"listening on {address}", flush=True)
server.wait_for_termination()
