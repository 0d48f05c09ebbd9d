import type { Clock } from '../../../core/index.ts';
import { reasonOf } from '../errors.ts';
import type { CriProbe } from '../health/index.ts';
import { ABSENT, type HostFiles, rootFile, rootFolder } from '../host/index.ts';
import { endpointOf, FLAGS_VARIABLE } from '../plan/index.ts';
import { requireSafePath } from '../unit-file/index.ts';

export interface GuardOptions {
  readonly socket: string;
  readonly target: /** Read by systemd right before it starts kubelet. */
    | { readonly type: 'environment-file'; readonly path: string }
    /** Read by kubelet when it starts. */
    | { readonly type: 'kubelet-config'; readonly path: string };
  /** How long an image service that is still starting is waited for. */
  readonly waitMs: number;
}

export interface GuardDependencies {
  readonly probe: Pick<CriProbe, 'fileSystems'>;
  readonly files: Pick<HostFiles, 'put'>;
  readonly clock: Clock;
}

export interface GuardResult {
  readonly use: boolean;
  /** Why not. */
  readonly reason: string | undefined;
}

const LONGEST_CALL_MS = 5_000;
const PAUSE_MS = 200;
const RUNTIME_FOLDER = '/run/drp';

/**
 * Decides, before kubelet starts, whether it is told of the image service: only when that answers. What an earlier
 * start has decided is taken back first, so that whatever happens to us, kubelet comes up without.
 */
export async function runGuard(
  { socket, target, waitMs }: GuardOptions,
  { probe, files, clock }: GuardDependencies,
): Promise<GuardResult> {
  requireSafePath(socket, 'the socket');
  await files.put(target.path, ABSENT);
  const reason = await findProblem(socket, waitMs, probe, clock);
  if (reason !== undefined) return { use: false, reason };
  if (target.path.startsWith(`${RUNTIME_FOLDER}/`)) await files.put(RUNTIME_FOLDER, rootFolder(0o700));
  await files.put(target.path, rootFile(textFor(socket, target.type)));
  return { use: true, reason: undefined };
}

/** A connection says nothing: systemd keeps the socket open while the service is down. Only an answer counts. */
async function findProblem(
  socket: string,
  waitMs: number,
  probe: Pick<CriProbe, 'fileSystems'>,
  clock: Clock,
): Promise<string | undefined> {
  const end = clock.now() + waitMs;
  for (;;) {
    const left = Math.max(end - clock.now(), 1);
    try {
      await probe.fileSystems(socket, Math.min(left, LONGEST_CALL_MS));
      return undefined;
    } catch (error) {
      if (clock.now() + PAUSE_MS >= end) return reasonOf(error);
    }
    await clock.sleep(PAUSE_MS);
  }
}

function textFor(socket: string, type: GuardOptions['target']['type']): string {
  const endpoint = endpointOf(socket);
  if (type === 'environment-file') return `${FLAGS_VARIABLE}=--image-service-endpoint=${endpoint}\n`;
  const config = {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    imageServiceEndpoint: endpoint,
  };
  return `${JSON.stringify(config)}\n`;
}
