/** What systemd says about a unit. */
export interface UnitState {
  /** `loaded`, `not-found`, `bad-setting`, … */
  readonly loadState: string;
  /** `active`, `activating`, `inactive`, `failed`, … */
  readonly activeState: string;
  readonly subState: string;
  /** Empty where there is no file. */
  readonly fragmentPath: string;
  /** In the order in which they are read. */
  readonly dropInPaths: readonly string[];
  /** Whether a file has changed since systemd read it. */
  readonly needDaemonReload: boolean;
  /** 0 while nothing runs. */
  readonly mainPid: number;
  /** Undefined before systemd 235. */
  readonly restarts: number | undefined;
  /** When the main process was started, in milliseconds since the epoch; 0 for never. */
  readonly startedAtMs: number;
  /** `ExecStart=` as systemd has it: specifiers replaced, variables not. */
  readonly commands: readonly (readonly string[])[];
}

/** A timer that systemd keeps, whatever becomes of us; it is gone after a reboot. */
export interface HostTimer {
  /** Without a suffix; the timer and its service have the same. */
  readonly name: string;
  readonly description: string;
  readonly afterMs: number;
  /** Until somebody stops the timer, all is run again so long after it has ended. */
  readonly againMs: number;
  /** Run one after the other. One that fails stops the rest unless it may. */
  readonly commands: readonly { readonly words: readonly string[]; readonly mayFail?: boolean }[];
}

/** A service without a file; nothing of it stays when it ends. */
export interface HostService {
  /** Without a suffix. */
  readonly name: string;
  readonly description: string;
  readonly command: readonly string[];
}

/** A job that takes longer is given up. */
export const LONGEST_JOB_MS = 180_000;

/** A command that is run once, with nothing of ours around it: as the host itself would. */
export interface HostCommand {
  /** Of its unit, without a suffix. */
  readonly name: string;
  readonly description: string;
  readonly words: readonly string[];
  readonly timeoutMs: number;
}

/** The part of systemd that node setup needs. Every call is given up when it takes too long. */
export interface Systemd {
  unit(name: string): Promise<UnitState>;
  /** Reads all unit files again. */
  reload(): Promise<void>;
  /**
   * Resolves when the job is done, which says nothing about health.
   * @throws {SetupError} when the job ends in another way
   */
  start(unit: string): Promise<void>;
  stop(unit: string): Promise<void>;
  restart(unit: string): Promise<void>;
  /** Forgets that a unit has failed; a unit that is not loaded is fine. */
  resetFailed(unit: string): Promise<void>;
  /** @throws {SetupError} `busy` when there is one of this name */
  startTimer(timer: HostTimer): Promise<void>;
  /** @throws {SetupError} `busy` when there is one of this name */
  startService(service: HostService): Promise<void>;
  /** @returns whether it ended well, and in time */
  runOnce(command: HostCommand): Promise<boolean>;
  close(): Promise<void>;
}
