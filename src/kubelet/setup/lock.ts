import { SetupError } from './errors.ts';
import type { SetupDependencies } from './setup.ts';

const LOCK = 'drp-node-lock';
const LOCK_UNIT = `${LOCK}.service`;
/** The lock of a process that has died is gone within a second. */
const WAIT_MS = 3_000;
const PAUSE_MS = 250;
const START_TIME_FIELD = 22;

/**
 * Does something to the node while nobody else does.
 *
 * The lock is a transient unit of systemd: of one name there is one at most, a pod and the host see the same, it needs
 * neither a native module nor a file that stays after a crash, and a reboot forgets it. Its command watches the process
 * that holds the lock, told by number and start time, and ends with it.
 * @throws {SetupError} `busy` when another process is at work
 */
export async function withLock<T>(dependencies: SetupDependencies, work: () => Promise<T>): Promise<T> {
  await takeLock(dependencies);
  try {
    return await work();
  } finally {
    // Else it goes when we do.
    await dependencies.systemd.stop(LOCK_UNIT).catch(() => undefined);
  }
}

async function takeLock({ systemd, files, clock }: SetupDependencies): Promise<void> {
  const holder = await readOwnProcess(files);
  const lock = {
    name: LOCK,
    description: `Process ${holder.pid} changes this node for Docker Registry Proxy`,
    command: ['/bin/sh', '-c', watchScript(holder)],
  };
  const end = clock.now() + WAIT_MS;
  for (;;) {
    try {
      await systemd.startService(lock);
      return;
    } catch (error) {
      if (!(error instanceof SetupError) || error.code !== 'busy') throw error;
      if (clock.now() >= end) throw busy(error);
    }
    // One whose watcher was killed.
    await systemd.resetFailed(LOCK_UNIT);
    await clock.sleep(PAUSE_MS);
  }
}

interface OwnProcess {
  readonly pid: string;
  readonly startTime: string;
}

/** As the host sees us: its `/proc` knows us by our number there, also when we run in a container. @see proc(5) */
async function readOwnProcess(files: SetupDependencies['files']): Promise<OwnProcess> {
  const text = (await files.readText('/proc/self/stat')) ?? '';
  const [pid = ''] = text.split(' ', 1);
  // The name, in parentheses, may have any character in it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const startTime = fields[START_TIME_FIELD - 3] ?? '';
  if (/^\d+$/.test(pid) && /^\d+$/.test(startTime)) return { pid, startTime };
  throw new SetupError(
    'failed',
    "the host's /proc does not show this process: --host-root has to be all of /",
  );
}

/**
 * Without any character that systemd would take for more. A zombie does nothing any more. Told to end, the shell first
 * waits for its child: systemd may not notice when the last process of a unit is gone that is not the main one.
 */
function watchScript({ pid, startTime }: OwnProcess): string {
  const fieldsBetween = START_TIME_FIELD - 4;
  const lives = `grep -qsE '[)] [^XZ] ([^ ]+ ){${fieldsBetween}}${startTime} ' /proc/${pid}/stat`;
  return `trap "exit 0" TERM; while ${lives}; do sleep 1; done`;
}

function busy(cause: unknown): SetupError {
  return new SetupError(
    'busy',
    `another run is at work on this node: wait until it ends; systemctl status ${LOCK} names its process`,
    { cause },
  );
}
