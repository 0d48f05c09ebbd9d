import type { Clock } from '../../../core/index.ts';
import type { Backend } from '../backend.ts';
import { STATUS, type StatusCode } from '../errors.ts';
import { AnsweredError, frameMessage } from '../grpc/index.ts';
import { createRuntimeConnection } from './connection.ts';
import { passThrough } from './pass-through.ts';
import { serverAddress } from './server-address.ts';
import { callUnary } from './unary.ts';

const PROBE_PATH = '/runtime.v1.ImageService/ImageFsInfo';
/** A runtime that speaks v1alpha2 only does not know the call. */
const READY_CODES: readonly StatusCode[] = [STATUS.OK, STATUS.UNIMPLEMENTED];
const PROBE_METADATA = { 'content-type': 'application/grpc', te: 'trailers' };

/** A runtime that speaks the CRI itself: containerd, CRI-O, or another image service in front of one. */
export function createCriBackend(socket: string, { clock }: { readonly clock: Clock }): Backend {
  const connection = createRuntimeConnection(socket, clock);
  return {
    type: 'cri',
    unary: (call, signal) => callUnary(connection, call, signal),
    pass: (call) => passThrough(connection, call),
    serverAddress,
    suspect: () => connection.check(),
    async probe(signal) {
      const call = { path: PROBE_PATH, metadata: PROBE_METADATA, body: frameMessage(Buffer.alloc(0)) };
      const answer = await callUnary(connection, call, signal).catch((error: unknown) => {
        connection.check();
        throw error;
      });
      if (!READY_CODES.includes(answer.code)) throw new AnsweredError(answer);
    },
    close: () => connection.close(),
  };
}
