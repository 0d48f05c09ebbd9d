import { z } from 'zod';
import { optionTypes } from '../../core/index.ts';
import { logOptions } from '../../telemetry/index.ts';
import { pullCredentialOptions } from './credentials/index.ts';
import { dockerBackendOptions } from './docker/index.ts';

/** What the kernel takes for a socket, less what a temporary name beside it needs. */
const SOCKET_PATH_BYTES = 95;

const socketPath = z
  .string()
  .regex(/^\/[^\0]*[^/\0]$/, 'expected an absolute path')
  .refine((path) => Buffer.byteLength(path) <= SOCKET_PATH_BYTES, {
    error: `expected at most ${SOCKET_PATH_BYTES} bytes: the kernel takes no longer path for a socket`,
  })
  .meta({ title: 'Socket path' });

const cri = z
  .strictObject({
    type: z.literal('cri'),
    socket: socketPath
      .default('/run/containerd/containerd.sock')
      .describe(
        '`/run/crio/crio.sock` for CRI-O. Another image service (SOCI, stargz, nydus) may stand here too.',
      ),
  })
  .describe(
    'A runtime that speaks the CRI itself; everything but the credential of a pull passes through as it is.',
  );

const timeouts = z.strictObject({
  staleAnswers: optionTypes.duration
    .prefault('10m')
    .describe(
      'How old an answer to ListImages or ImageFsInfo may be that is given while the runtime is away. `0s` gives none.',
    ),
  slowAnswers: optionTypes.duration
    .prefault('20s')
    .describe('After which wait the answer of before is given to these two.'),
  shutdown: optionTypes.duration.prefault('30s').describe('How long running calls may go on after SIGTERM.'),
});

/** The whole configuration file of `drp image-service`. */
export const imageServiceOptions = z.strictObject({
  socket: socketPath
    .default('/run/drp/image-service.sock')
    .describe(
      "What kubelet's `--image-service-endpoint` names. With socket activation, the unit's `ListenStream=`. A change takes a restart.",
    ),
  backend: z
    .discriminatedUnion('type', [dockerBackendOptions, cri])
    .describe('What pulls and keeps the images.'),
  credentials: pullCredentialOptions,
  adminAddress: z
    .string()
    .regex(/^(?:[^:/]+|\[[0-9a-fA-F:.]+\]):\d{1,5}$/, 'expected host:port')
    .optional()
    .describe(
      'Where `/metrics`, `/healthz` and `/readyz` are, such as `127.0.0.1:9095`. A change takes a restart.',
    ),
  adminSocket: socketPath.optional().describe('The same on a unix socket.'),
  timeouts: timeouts.prefault({}).describe('Time limits.'),
  log: logOptions.prefault({}).describe('What is written to standard output.'),
});
export type ImageServiceOptions = z.infer<typeof imageServiceOptions>;
export type BackendOptions = ImageServiceOptions['backend'];
