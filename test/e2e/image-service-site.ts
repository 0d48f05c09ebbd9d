import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { stringify } from 'yaml';
import {
  ImageStatusRequestSchema,
  PullImageRequestSchema,
} from '../../src/kubelet/image-service/gen/runtime/v1/image_pb.ts';
import { type RunningProcess, startProcess } from '../support/processes.ts';

const PROGRAM = join(import.meta.dirname, '../../dist/cli/main.js');

/** What systemd does for a socket unit and its service: holds the socket, and starts the service again when it ends. */
const SUPERVISOR = `
import os, socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
os.umask(0o177)
listener.bind(sys.argv[1])
listener.listen(64)
os.umask(0o022)
if listener.fileno() != 3:
    os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
while True:
    pid = os.fork()
    if pid == 0:
        os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))
        os.execv(sys.argv[2], sys.argv[2:])
    print('started', pid, flush=True)
    os.waitpid(pid, 0)
`;

/** `drp image-service` in a process of its own. */
export interface RunningImageService extends RunningProcess<true> {
  readonly socket: string;
  readonly folder: string;
  configure(options: object): Promise<void>;
}

export interface StartOptions {
  /** Whether its socket is held by a process that starts it again. */
  readonly activated?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts the image service that `make build` made. */
export async function startImageService(
  options: object,
  { activated = false, environment = {} }: StartOptions = {},
): Promise<RunningImageService> {
  const folder = await mkdtemp(join(tmpdir(), 'drp-image-service-'));
  const socket = join(folder, 's.sock');
  const file = join(folder, 'image-service.yaml');
  const configure = (next: object) => writeFile(file, stringify({ socket, ...next }));
  await configure(options);
  const command = [process.execPath, PROGRAM, 'image-service', '--config', file];
  const supervised = ['/usr/bin/python3', '-c', SUPERVISOR, socket, ...command];
  const [program = '', ...args] = activated ? supervised : command;
  const server = await startProcess<true>({
    command: program,
    arguments: args,
    logFile: join(folder, 'log'),
    environment: { ...process.env, ...environment },
    ready: ({ logs }) => logs().includes('"msg":"listening"') || undefined,
  });
  return {
    ...server,
    socket,
    folder,
    configure,
    async close() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A PullImageRequest as bytes. */
export function pullRequest(
  image: string,
  auth?: MessageInitShape<typeof PullImageRequestSchema>['auth'],
): Uint8Array {
  const sandboxConfig = { metadata: { name: 'web', namespace: 'default', uid: 'u', attempt: 0 } };
  const message = { image: { image }, sandboxConfig, ...(auth && { auth }) };
  return toBinary(PullImageRequestSchema, create(PullImageRequestSchema, message));
}

/** An ImageStatusRequest as bytes; a RemoveImageRequest looks the same. */
export function imageRequest(image: string, verbose = false): Uint8Array {
  return toBinary(ImageStatusRequestSchema, create(ImageStatusRequestSchema, { image: { image }, verbose }));
}
