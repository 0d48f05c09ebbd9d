import {
  type CallOptions,
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { PluginError, type PluginErrorCode } from '../errors.ts';
import { readTlsFiles } from '../tls-options.ts';
import { MAXIMUM_ANSWER_BYTES, type Transport } from '../transport.ts';
import { parseAddress } from './address.ts';
import { decodeAnswer, encodeQuestion, methodOf } from './methods.ts';
import type { GrpcPluginOptions } from './options.ts';

const FIRST_RECONNECT_MS = 100;
const LONGEST_RECONNECT_MS = 5000;
const KEEPALIVE_MS = 30_000;
const KEEPALIVE_ANSWER_MS = 5000;

const CHANNEL_OPTIONS: ChannelOptions = {
  'grpc.max_receive_message_length': MAXIMUM_ANSWER_BYTES,
  'grpc.max_send_message_length': MAXIMUM_ANSWER_BYTES,
  'grpc.initial_reconnect_backoff_ms': FIRST_RECONNECT_MS,
  'grpc.min_reconnect_backoff_ms': FIRST_RECONNECT_MS,
  'grpc.max_reconnect_backoff_ms': LONGEST_RECONNECT_MS,
  // Finds out that the other side is gone although nobody said so.
  'grpc.keepalive_time_ms': KEEPALIVE_MS,
  'grpc.keepalive_timeout_ms': KEEPALIVE_ANSWER_MS,
  // Neither a proxy of the environment nor a TXT record has a say in where passwords go.
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_retries': 0,
  'grpc.use_local_subchannel_pool': 1,
};

/** Asks a server of our gRPC protocol. It is connected to with the first question, and again whenever it was lost. */
export function createGrpcTransport(options: GrpcPluginOptions, timeoutMs: number): Transport {
  const address = parseAddress(options.address);
  if (!address) throw new TypeError(`${options.address} is neither unix:///path nor host:port`);
  const client = new Client(address.target, channelCredentials(options, address.isLocal), CHANNEL_OPTIONS);
  const same = (bytes: Buffer): Buffer => bytes;

  function call(path: string, request: Buffer, signal: AbortSignal): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const callOptions: CallOptions = { deadline: Date.now() + timeoutMs };
      const done = (error: ServiceError | null, answer?: Buffer): void => {
        signal.removeEventListener('abort', cancel);
        if (signal.aborted) reject(signal.reason);
        else if (error) reject(pluginError(error));
        else resolve(answer ?? Buffer.alloc(0));
      };
      const running = client.makeUnaryRequest(path, same, same, request, new Metadata(), callOptions, done);
      const cancel = (): void => running.cancel();
      signal.addEventListener('abort', cancel, { once: true });
    });
  }

  return {
    async ask(question, signal) {
      signal.throwIfAborted();
      const { path, answer } = methodOf(question);
      try {
        return decodeAnswer(answer, await call(path, encodeQuestion(question), signal));
      } catch (error) {
        // A server that leaves Describe out does not renew.
        if (question.method === 'describe' && isUnimplemented(error)) return {};
        throw error;
      }
    },
    async close() {
      client.close();
    },
  };
}

function channelCredentials(options: GrpcPluginOptions, isLocal: boolean): ChannelCredentials {
  const { certificateAuthority, clientCertificate } = readTlsFiles(options);
  if (isLocal && certificateAuthority === undefined) return credentials.createInsecure();
  return credentials.createSsl(
    bytesOf(certificateAuthority),
    bytesOf(clientCertificate?.key),
    bytesOf(clientCertificate?.certificate),
  );
}

function bytesOf(pem: string | undefined): Buffer | null {
  return pem === undefined ? null : Buffer.from(pem);
}

function pluginError(cause: ServiceError): PluginError {
  const codes: Partial<Record<status, PluginErrorCode>> = {
    [status.DEADLINE_EXCEEDED]: 'timeout',
    [status.RESOURCE_EXHAUSTED]: 'nonsense',
  };
  const code = codes[cause.code] ?? 'unavailable';
  return new PluginError(code, `gRPC status ${status[cause.code]}: ${cause.details}`, { cause });
}

function isUnimplemented(error: unknown): boolean {
  const { cause } = error as { readonly cause?: Partial<ServiceError> };
  return cause?.code === status.UNIMPLEMENTED;
}
