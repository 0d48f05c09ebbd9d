import { randomUUID } from 'node:crypto';

import { type Clock, systemClock } from '../../core/index.ts';
import { createCriProbe } from './health/index.ts';
import { createHostFiles, fileHash } from './host/index.ts';
import { createJournal } from './journal/index.ts';
import { STATE_FOLDER } from './plan/index.ts';
import type { KubeletConfig } from './platform/index.ts';
import type { SetupDependencies } from './setup.ts';
import { connectToSystemd } from './systemd/index.ts';

export interface OpenSetupOptions {
  /** Where the host's `/` is for us. */
  readonly hostRoot: string;
  readonly progress: SetupDependencies['progress'];
  /** Kubelet's own answer; left out where there is no cluster to ask through. */
  readonly configz?: () => Promise<KubeletConfig | undefined>;
  readonly clock?: Clock;
}

const HEALTHZ_TIMEOUT_MS = 2_000;
const LARGEST_HEALTHZ_BYTES = 64 * 1024;
const SOCKETS = { private: '/run/systemd/private', system: '/run/dbus/system_bus_socket' };

/** Node setup over the real systemd and files of a host. */
export async function openSetup(
  options: OpenSetupOptions,
): Promise<SetupDependencies & { close(): Promise<void> }> {
  const { hostRoot, progress, configz = async () => undefined, clock = systemClock } = options;
  const files = createHostFiles(hostRoot);
  const systemd = await connectToSystemd({
    private: await files.locate(SOCKETS.private),
    system: await files.locate(SOCKETS.system),
  });
  // Loaded late: the guard does without, and has to be quick.
  const { createHttpClient } = await import('../../network/index.ts');
  const client = createHttpClient({
    reach: 'any',
    timeoutMs: HEALTHZ_TIMEOUT_MS,
    maximumBytes: LARGEST_HEALTHZ_BYTES,
  });
  return {
    systemd,
    files,
    journal: createJournal(STATE_FOLDER, files),
    probe: createCriProbe((path) => files.locate(path)),
    fileHash,
    clock,
    configz,
    randomId: () => randomUUID(),
    progress,
    async healthz(port) {
      const signal = AbortSignal.timeout(HEALTHZ_TIMEOUT_MS);
      const url = new URL(`http://127.0.0.1:${port}/healthz`);
      const answer = await client.request(url, { signal }).catch(() => undefined);
      return answer?.status === 200;
    },
    async close() {
      await client.close();
      await systemd.close();
    },
  };
}

/** What `drp node guard` needs: no systemd, which is busy with starting kubelet. */
export function openGuard(hostRoot = '/') {
  const files = createHostFiles(hostRoot);
  return { files, probe: createCriProbe((path) => files.locate(path)), clock: systemClock };
}
