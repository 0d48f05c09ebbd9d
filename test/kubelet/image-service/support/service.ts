import { createServer } from 'node:net';
import { join } from 'node:path';
import type { z } from 'zod';
import { type Clock, systemClock } from '../../../../src/core/index.ts';
import {
  createImageService,
  createImageServiceMetrics,
  type ImageServiceMetrics,
  type ImageServiceServer,
  imageServiceOptions,
  listenOnSocket,
} from '../../../../src/kubelet/image-service/index.ts';
import { createLogger } from '../../../../src/telemetry/index.ts';
import { createTemporaryFolder } from '../../../support/temporary-folder.ts';

/** The options as they stand in a file. */
export type OptionsInput = Omit<z.input<typeof imageServiceOptions>, 'socket'>;

/** The image service in the test's own process. */
export interface RunningService {
  readonly socket: string;
  readonly service: ImageServiceServer;
  readonly metrics: ImageServiceMetrics;
  readonly logLines: string[];
  reload(options: OptionsInput): void;
  close(): Promise<void>;
}

export async function startService(
  options: OptionsInput,
  clock: Clock = systemClock,
): Promise<RunningService> {
  const folder = await createTemporaryFolder('image-service');
  const socket = join(folder.path, 'own', 's.sock');
  const logLines: string[] = [];
  const log = createLogger('debug', { write: (line) => void logLines.push(line) });
  const metrics = createImageServiceMetrics();
  const parse = (input: OptionsInput) => imageServiceOptions.parse({ socket, ...input });
  const service = createImageService(parse(options), { clock, log, metrics });
  const listening = await listenOnSocket(
    createServer((connection) => service.accept(connection)),
    socket,
  );
  return {
    socket,
    service,
    metrics,
    logLines,
    reload: (input) => service.reload(parse(input)),
    async close() {
      await listening.close();
      await service.close();
      metrics.registry.clear();
      await folder.close();
    },
  };
}
