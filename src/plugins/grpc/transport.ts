import { createSecureContext } from 'node:tls';
import type { CallOptions, ChannelOptions, Client, ServiceError } from '@grpc/grpc-js';
import { PluginError, type PluginErrorCode } from '../errors.ts';
import { readTlsFiles } from '../tls-options.ts';
import { MAXIMUM_ANSWER_BYTES, type Transport } from '../transport.ts';
import { parseAddress } from './address.ts';
import type { GrpcPluginOptions } from './options.ts';

type Grpc = typeof import('@grpc/grpc-js');
type Methods = typeof import('./methods.ts');

/** The status of a call that a server does not know. */
const UNIMPLEMENTED = 12;
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

interface Opened {
  readonly grpc: Grpc;
  readonly methods: Methods;
  readonly client: Client;
}

/** Asks a server of our gRPC protocol. It is connected to with the first question, and again whenever it was lost. */
export function createGrpcTransport(options: GrpcPluginOptions, timeoutMs: number): Transport {
  const address = parseAddress(options.address);
  if (!address) throw new TypeError(`${options.address} is neither unix:///path nor host:port`);
  const { target } = address;
  const tls = tlsOf(options, address.isLocal);
  const same = (bytes: Buffer): Buffer => bytes;
  let opened: Promise<Opened> | undefined;

  /** The libraries are loaded when they are needed: programs on nodes mostly do without. */
  async function open(): Promise<Opened> {
    const [grpc, methods] = await Promise.all([import('@grpc/grpc-js'), import('./methods.ts')]);
    const { credentials } = grpc;
    const channel = tls
      ? credentials.createSsl(bytesOf(tls.ca), bytesOf(tls.key), bytesOf(tls.cert))
      : credentials.createInsecure();
    return { grpc, methods, client: new grpc.Client(target, channel, CHANNEL_OPTIONS) };
  }

  function call(
    { grpc, client }: Opened,
    path: string,
    request: Buffer,
    signal: AbortSignal,
  ): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const callOptions: CallOptions = { deadline: Date.now() + timeoutMs };
      const done = (error: ServiceError | null, answer?: Buffer): void => {
        signal.removeEventListener('abort', cancel);
        if (signal.aborted) reject(signal.reason);
        else if (error) reject(pluginError(error, grpc));
        else resolve(answer ?? Buffer.alloc(0));
      };
      const running = client.makeUnaryRequest(
        path,
        same,
        same,
        request,
        new grpc.Metadata(),
        callOptions,
        done,
      );
      const cancel = (): void => running.cancel();
      signal.addEventListener('abort', cancel, { once: true });
    });
  }

  return {
    async ask(question, signal) {
      signal.throwIfAborted();
      opened ??= open();
      const running = await opened;
      signal.throwIfAborted();
      const { methodOf, encodeQuestion, decodeAnswer } = running.methods;
      const { path, answer } = methodOf(question);
      try {
        return decodeAnswer(answer, await call(running, path, encodeQuestion(question), signal));
      } catch (error) {
        // A server that leaves Describe out does not renew.
        if (question.method === 'describe' && isUnimplemented(error)) return {};
        throw error;
      }
    },
    async close() {
      const running = await opened;
      running?.client.close();
    },
  };
}

/**
 * @returns undefined for a local socket without TLS
 * @throws when a certificate can't be used
 */
function tlsOf(options: GrpcPluginOptions, isLocal: boolean) {
  const { certificateAuthority, clientCertificate } = readTlsFiles(options);
  if (isLocal && certificateAuthority === undefined) return undefined;
  const tls = { ca: certificateAuthority, cert: clientCertificate?.certificate, key: clientCertificate?.key };
  createSecureContext(tls);
  return tls;
}

function bytesOf(pem: string | undefined): Buffer | null {
  return pem === undefined ? null : Buffer.from(pem);
}

function pluginError(cause: ServiceError, { status }: Grpc): PluginError {
  const codes: Partial<Record<number, PluginErrorCode>> = {
    [status.DEADLINE_EXCEEDED]: 'timeout',
    [status.RESOURCE_EXHAUSTED]: 'nonsense',
  };
  const code = codes[cause.code] ?? 'unavailable';
  return new PluginError(code, `gRPC status ${status[cause.code]}: ${cause.details}`, { cause });
}

function isUnimplemented(error: unknown): boolean {
  const { cause } = error as { readonly cause?: Partial<ServiceError> };
  return cause?.code === UNIMPLEMENTED;
}
