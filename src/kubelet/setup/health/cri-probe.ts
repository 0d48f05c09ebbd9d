import { BinaryReader } from '@bufbuild/protobuf/wire';
import type { Client, ServiceError } from '@grpc/grpc-js';
import { reasonOf, SetupError } from '../errors.ts';

/** What an image service says, as far as two of them can be compared. */
export interface ImageAnswers {
  /** Where images are kept; more than one on some runtimes. */
  readonly mountpoints: readonly string[];
  readonly imageIds: readonly string[];
}

/** Asks image services. */
export interface CriProbe {
  /** @throws {SetupError} when it does not answer, or answers an error */
  fileSystems(socket: string, timeoutMs: number): Promise<readonly string[]>;
  answers(socket: string, timeoutMs: number): Promise<ImageAnswers>;
}

/** The messages are the same on the wire; runtimes of kubelet 1.22 and before know the second name only. */
const SERVICES = ['runtime.v1.ImageService', 'runtime.v1alpha2.ImageService'] as const;
const UNIMPLEMENTED = 12;
const LARGEST_MESSAGE_BYTES = 16 * 1024 * 1024;
const EMPTY = Buffer.alloc(0);

/** @param locate where a socket of the host is for us */
export function createCriProbe(locate: (path: string) => Promise<string>): CriProbe {
  async function withClient<T>(socket: string, work: (client: Client) => Promise<T>): Promise<T> {
    // Loaded when needed: the guard has to be quick, and other commands don't call anybody.
    const { Client: GrpcClient, credentials } = await import('@grpc/grpc-js');
    const client = new GrpcClient(`unix:${await locate(socket)}`, credentials.createInsecure(), {
      'grpc.max_receive_message_length': LARGEST_MESSAGE_BYTES,
      'grpc.enable_retries': 0,
    });
    try {
      return await work(client);
    } catch (cause) {
      if (cause instanceof SetupError) throw cause;
      throw new SetupError('unhealthy', `${socket} does not answer: ${reasonOf(cause)}`, { cause });
    } finally {
      client.close();
    }
  }

  return {
    fileSystems: (socket, timeoutMs) =>
      withClient(socket, (client) => fileSystems(client, socket, timeoutMs)),
    answers: (socket, timeoutMs) =>
      withClient(socket, async (client) => ({
        mountpoints: await fileSystems(client, socket, timeoutMs),
        imageIds: imageIds(await call(client, 'ListImages', timeoutMs)),
      })),
  };
}

async function fileSystems(client: Client, socket: string, timeoutMs: number): Promise<readonly string[]> {
  const found = mountpoints(await call(client, 'ImageFsInfo', timeoutMs));
  // Kubelet can't live without: it would evict nothing, or crash.
  if (found.length === 0) throw new SetupError('unhealthy', `${socket} names no file system for images`);
  return found;
}

async function call(client: Client, method: string, timeoutMs: number): Promise<Uint8Array> {
  const deadline = Date.now() + timeoutMs;
  const [v1, v1alpha2] = SERVICES;
  try {
    return await unary(client, `/${v1}/${method}`, deadline);
  } catch (error) {
    if (!isServiceError(error) || error.code !== UNIMPLEMENTED) throw error;
    return unary(client, `/${v1alpha2}/${method}`, deadline);
  }
}

function unary(client: Client, path: string, deadline: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
      EMPTY,
      { deadline },
      (error, answer) => (error || !answer ? reject(error ?? new Error('no answer')) : resolve(answer)),
    );
  });
}

/** ImageFsInfoResponse.image_filesystems[].fs_id.mountpoint, of those that say how much they use. */
function mountpoints(bytes: Uint8Array): string[] {
  return messages(bytes, 1)
    .filter((usage) => messages(usage, 3).length > 0)
    .flatMap((usage) => messages(usage, 2))
    .flatMap((id) => messages(id, 1))
    .map(text)
    .sort();
}

/** ListImagesResponse.images[].id */
function imageIds(bytes: Uint8Array): string[] {
  return messages(bytes, 1)
    .flatMap((image) => messages(image, 1))
    .map(text)
    .sort();
}

/** All values of a length-delimited field. */
function messages(bytes: Uint8Array, field: number): Uint8Array[] {
  const reader = new BinaryReader(bytes);
  const found: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (number === field && type === 2) found.push(reader.bytes());
    else reader.skip(type, number);
  }
  return found;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number';
}
