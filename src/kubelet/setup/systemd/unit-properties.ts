import type { UnitState } from './systemd.ts';

type Properties = Readonly<Record<string, unknown>>;

const MICROSECONDS_PER_MILLISECOND = 1000;

/** Reads what `GetAll` answers for the interfaces Unit and Service. */
export function unitState(unit: Properties, service: Properties): UnitState {
  const restarts = service.NRestarts;
  return {
    loadState: text(unit.LoadState),
    activeState: text(unit.ActiveState),
    subState: text(unit.SubState),
    fragmentPath: text(unit.FragmentPath),
    dropInPaths: list(unit.DropInPaths).map(text),
    needDaemonReload: unit.NeedDaemonReload === true,
    mainPid: number(service.MainPID),
    restarts: typeof restarts === 'number' ? restarts : undefined,
    startedAtMs: number(service.ExecMainStartTimestamp) / MICROSECONDS_PER_MILLISECOND,
    commands: list(service.ExecStart).map((command) => list(list(command)[1]).map(text)),
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : 0;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
