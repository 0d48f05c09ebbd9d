import { SetupError } from '../errors.ts';
import type { HostFiles } from '../host/index.ts';
import type { Systemd, UnitState } from '../systemd/index.ts';
import type { NamedUnitFile } from '../unit-file/index.ts';
import { type KubeletFlags, readKubeletFlags, splitArguments } from './kubelet-flags.ts';

/** A kubelet as it runs now. */
export interface LiveKubelet {
  /** Such as `kubelet.service`. */
  readonly unit: string;
  readonly state: UnitState;
  /** Of the running process; empty when none runs. */
  readonly args: readonly string[];
  readonly flags: KubeletFlags;
  /** The unit file and its drop-ins, in the order in which systemd reads them. */
  readonly files: readonly NamedUnitFile[];
}

/**
 * Asks systemd and the kernel what runs. Files are read only where systemd says that it has read them.
 * @throws {SetupError} when there is no such unit
 */
export async function readLiveKubelet(
  unit: string,
  systemd: Systemd,
  files: HostFiles,
): Promise<LiveKubelet> {
  const state = await systemd.unit(unit);
  if (state.loadState !== 'loaded' || state.fragmentPath === '') {
    throw new SetupError(
      'refused',
      `systemd has no ${unit} (${state.loadState}): name kubelet's unit with --kubelet-unit`,
    );
  }
  const args = await processArguments(state.mainPid, files);
  const paths = [state.fragmentPath, ...state.dropInPaths];
  return {
    unit,
    state,
    args,
    flags: readKubeletFlags(args),
    files: await Promise.all(
      paths.map(async (path) => {
        const text = await files.readText(path);
        if (text === undefined) {
          throw new SetupError(
            'refused',
            `systemd has read ${path}, but it is gone: systemctl daemon-reload`,
          );
        }
        return { path, text };
      }),
    ),
  };
}

/** The arguments of a process; none when it is gone. */
export async function processArguments(pid: number, files: HostFiles): Promise<readonly string[]> {
  if (pid === 0) return [];
  const text = await files.readText(`/proc/${pid}/cmdline`).catch(() => undefined);
  return text ? splitArguments(text) : [];
}
