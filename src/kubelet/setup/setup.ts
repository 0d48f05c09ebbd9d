import type { Clock } from '../../core/index.ts';
import type { CriProbe, HealthTiming } from './health/index.ts';
import type { HostFiles } from './host/index.ts';
import type { Journal } from './journal/index.ts';
import type { KubeletConfig } from './platform/index.ts';
import { LONGEST_JOB_MS, type Systemd } from './systemd/index.ts';

/** A step that begins. */
export interface Step {
  readonly name: StepName;
  /** What it is about: a path, a unit. */
  readonly subject: string;
}

export type StepName =
  | 'wait for lease'
  | 'arm undo timer'
  | 'begin journal'
  | 'copy program'
  | 'try program'
  | 'change file'
  | 'reload systemd'
  | 'start service'
  | 'compare answers'
  | 'restart kubelet'
  | 'check health'
  | 'commit'
  | 'disarm undo timer'
  | 'put back file'
  | 'stop service'
  | 'forget journal';

/** The world, as node setup sees it. */
export interface SetupDependencies {
  readonly systemd: Systemd;
  readonly files: HostFiles;
  readonly journal: Journal;
  readonly probe: CriProbe;
  /** Whether kubelet's `/healthz` on this port of the loopback address says ok. */
  readonly healthz: (port: number) => Promise<boolean>;
  /** Kubelet's own answer about its configuration; undefined where it can't be asked. */
  readonly configz: () => Promise<KubeletConfig | undefined>;
  /** SHA-256 of a file of ours, in hexadecimal. */
  readonly fileHash: (path: string) => Promise<string>;
  readonly randomId: () => string;
  readonly clock: Clock;
  /** Told before each step. */
  readonly progress: (step: Step) => void | Promise<void>;
}

export interface SetupTiming extends HealthTiming {
  /** After as long, the host undoes what is not committed. */
  readonly undoAfterMs: number;
}

/** One restart of kubelet and one look at its health, each as long as it may take. */
export function longestUndoMs({ stableMs, timeoutMs }: HealthTiming): number {
  return LONGEST_JOB_MS + stableMs + timeoutMs;
}

/** An earlier end would leave no time to see that kubelet is well, and to undo it if it is not. */
export function leastUndoAfterMs(timing: HealthTiming): number {
  return timing.stableMs + timing.timeoutMs + longestUndoMs(timing);
}

export const DEFAULT_TIMING: SetupTiming = {
  stableMs: 15_000,
  timeoutMs: 120_000,
  undoAfterMs: 600_000,
};
