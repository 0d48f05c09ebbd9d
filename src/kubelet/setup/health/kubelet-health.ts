import type { Clock } from '../../../core/index.ts';
import { SetupError } from '../errors.ts';
import type { Systemd, UnitState } from '../systemd/index.ts';

/** How health is told. */
export interface HealthTiming {
  /** It has to stay well for as long. */
  readonly stableMs: number;
  /** It has to become well within. */
  readonly timeoutMs: number;
}

export interface HealthDependencies {
  readonly systemd: Pick<Systemd, 'unit'>;
  /** Whether kubelet's `/healthz` says ok. */
  readonly healthz: () => Promise<boolean>;
  readonly clock: Clock;
}

const POLL_MS = 250;

/**
 * Waits until kubelet is well, and stays so: `/healthz` says ok, it is one and the same process all the time, and
 * systemd did not have to start it again.
 * @throws {SetupError} `unhealthy`, and says what was wrong
 */
export async function waitUntilHealthy(
  unit: string,
  { stableMs, timeoutMs }: HealthTiming,
  { systemd, healthz, clock }: HealthDependencies,
  signal: AbortSignal,
): Promise<void> {
  const first = await systemd.unit(unit);
  const end = clock.now() + timeoutMs;
  let wellSince: number | undefined;
  for (;;) {
    signal.throwIfAborted();
    const state = await systemd.unit(unit);
    requireSameProcess(unit, first, state);
    const isWell = state.activeState === 'active' && state.mainPid > 0 && (await healthz());
    const now = clock.now();
    if (!isWell && wellSince !== undefined) {
      throw new SetupError('unhealthy', `${unit} was well, and then was not; see journalctl -u ${unit}`);
    }
    if (isWell) wellSince ??= now;
    if (wellSince !== undefined && now - wellSince >= stableMs) return;
    if (wellSince === undefined && now >= end) {
      throw new SetupError(
        'unhealthy',
        `${unit} did not become well within ${timeoutMs / 1000} s (${state.activeState}); see journalctl -u ${unit}`,
      );
    }
    await clock.sleep(POLL_MS, signal);
  }
}

function requireSameProcess(unit: string, first: UnitState, now: UnitState): void {
  const sameProcess = now.mainPid === first.mainPid && first.mainPid > 0;
  const sameCount = now.restarts === undefined || now.restarts === first.restarts;
  if (sameProcess && sameCount) return;
  throw new SetupError(
    'unhealthy',
    `${unit} does not stay up, it starts again and again; see journalctl -u ${unit}`,
  );
}
