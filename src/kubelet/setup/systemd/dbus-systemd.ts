import { reasonOf, SetupError } from '../errors.ts';
import { type BusConnection, BusError, connectToBus } from './connection.ts';
import { type HostService, type HostTimer, LONGEST_JOB_MS, type Systemd } from './systemd.ts';
import { unitState } from './unit-properties.ts';

const SERVICE = 'org.freedesktop.systemd1';
const MANAGER = { destination: SERVICE, path: '/org/freedesktop/systemd1', interface: `${SERVICE}.Manager` };
const PROPERTIES = 'org.freedesktop.DBus.Properties';
const BUS = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
};
const KNOCK_INTERVAL_MS = 50;
const TIMER_ACCURACY_MS = 100;
const UNIT_EXISTS = `${SERVICE}.UnitExists`;
const NO_SUCH_UNIT = `${SERVICE}.NoSuchUnit`;

/** Where systemd can be talked to, as paths that we can open. */
export interface SystemdSockets {
  /** systemd's own, which only root may use. */
  readonly private: string;
  readonly system: string;
}

/**
 * systemd over D-Bus: over its own socket, or over the system bus where that one can't be used.
 * @see https://www.freedesktop.org/software/systemd/man/latest/org.freedesktop.systemd1.html
 */
export async function connectToSystemd(sockets: SystemdSockets): Promise<Systemd> {
  let connection: BusConnection;
  try {
    connection = await connectToBus(sockets.private, true);
    await knock(connection);
  } catch (cause) {
    connection = await connectToSystemBus(sockets.system, cause);
  }
  return createSystemd(connection);
}

/**
 * Waits for the first answer on systemd's own socket. What systemd reads together with the end of the handshake it
 * leaves lying until more arrives, so it is asked again and again. A peer that does not take us closes the connection
 * only now.
 */
async function knock(connection: BusConnection): Promise<void> {
  const ping = () => connection.call({ ...MANAGER, interface: 'org.freedesktop.DBus.Peer', member: 'Ping' });
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const knockOnce = (): void => void ping().then(() => resolve(), reject);
      timer = setInterval(knockOnce, KNOCK_INTERVAL_MS);
      knockOnce();
    });
  } finally {
    clearInterval(timer);
  }
}

async function connectToSystemBus(socket: string, earlier: unknown): Promise<BusConnection> {
  try {
    const connection = await connectToBus(socket, false);
    const rule = `type='signal',interface='${SERVICE}.Manager',member='JobRemoved'`;
    await connection.call({ ...BUS, member: 'AddMatch', signature: 's', body: [rule] });
    await connection.call({ ...MANAGER, member: 'Subscribe' });
    return connection;
  } catch (cause) {
    const reasons = [earlier, cause].map(reasonOf);
    throw new SetupError('failed', `systemd can't be reached, root is needed: ${reasons.join('; ')}`, {
      cause,
    });
  }
}

function createSystemd(connection: BusConnection): Systemd {
  const manager = (member: string, signature = '', ...body: unknown[]): Promise<unknown> =>
    connection.call({ ...MANAGER, member, ...(signature !== '' && { signature, body }) });

  async function properties(path: string, interfaceName: string): Promise<Record<string, unknown>> {
    const answer = await connection.call({
      destination: SERVICE,
      path,
      interface: PROPERTIES,
      member: 'GetAll',
      signature: 's',
      body: [`${SERVICE}.${interfaceName}`],
    });
    return { ...(answer as Record<string, unknown> | undefined) };
  }

  /**
   * Listens before it calls: a job may be done before the answer with its name is here.
   * @returns how the job has ended
   */
  async function jobResult(timeoutMs: number, begin: () => Promise<unknown>): Promise<string> {
    const results = new Map<string, string>();
    let wanted: string | undefined;
    let settle: ((result: string) => void) | undefined;
    const finished = new Promise<string>((resolve) => {
      settle = resolve;
    });
    const stop = connection.onSignal(({ member: signal, body }) => {
      if (signal !== 'JobRemoved') return;
      const [, path, , result] = body.map(String);
      if (path === undefined || result === undefined) return;
      results.set(path, result);
      if (path === wanted) settle?.(result);
    });
    const timer = setTimeout(() => settle?.('timeout'), timeoutMs);
    try {
      wanted = String(await begin());
      return results.get(wanted) ?? (await finished);
    } finally {
      clearTimeout(timer);
      stop();
    }
  }

  const createTransient = ([name, ...rest]: TransientUnit) =>
    manager('StartTransientUnit', 'ssa(sv)a(sa(sv))', name, 'fail', ...rest);

  async function startTransient(unit: TransientUnit): Promise<void> {
    try {
      await createTransient(unit);
    } catch (error) {
      if (!(error instanceof BusError) || error.errorName !== UNIT_EXISTS) throw error;
      throw new SetupError('busy', `${unit[0]} is there already`, { cause: error });
    }
  }

  async function job(member: 'StartUnit' | 'StopUnit' | 'RestartUnit', unit: string): Promise<void> {
    const result = await jobResult(LONGEST_JOB_MS, () => manager(member, 'ss', unit, 'replace'));
    if (result === 'done') return;
    throw new SetupError(
      'failed',
      `systemd: ${member} ${unit} ended with "${result}"; see journalctl -u ${unit}`,
    );
  }

  const stop = (unit: string) => ignoring(NO_SUCH_UNIT, job('StopUnit', unit));
  const resetFailed = (unit: string) => ignoring(NO_SUCH_UNIT, manager('ResetFailedUnit', 's', unit));

  return {
    async unit(name) {
      const path = String(await manager('LoadUnit', 's', name));
      const [unit, service] = await Promise.all([
        properties(path, 'Unit'),
        name.endsWith('.service') ? properties(path, 'Service') : {},
      ]);
      return unitState(unit, service);
    },
    async reload() {
      await manager('Reload');
    },
    start: (unit) => job('StartUnit', unit),
    stop,
    restart: (unit) => job('RestartUnit', unit),
    resetFailed,
    startTimer: (timer) => startTransient(timerUnits(timer)),
    startService: (service) => startTransient(serviceUnit(service)),
    async runOnce({ name, description, words, timeoutMs }) {
      const unit = `${name}.service`;
      const forget = async (): Promise<void> => {
        await stop(unit);
        await resetFailed(unit);
      };
      // One of a run that was killed.
      await forget();
      try {
        const start = () => createTransient([unit, oneshot(description, [{ words }]), []]);
        return (await jobResult(timeoutMs, start)) === 'done';
      } finally {
        await forget();
      }
    },
    close: () => connection.close(),
  };
}

type Properties = readonly (readonly [name: string, value: readonly [type: string, value: unknown]])[];
type TransientUnit = readonly [
  name: string,
  own: Properties,
  others: readonly (readonly [string, Properties])[],
];

function oneshot(description: string, commands: HostTimer['commands']): Properties {
  const exec = commands.map(({ words, mayFail = false }) => [words[0], [...words], mayFail]);
  return [
    ['Description', ['s', description]],
    ['Type', ['s', 'oneshot']],
    ['ExecStart', ['a(sasb)', exec]],
  ];
}

/** The names are those of old, which systemd 219 has, and which the newest one still takes. */
function timerUnits({ name, description, afterMs, againMs, commands }: HostTimer): TransientUnit {
  return [
    `${name}.timer`,
    [
      ['Description', ['s', description]],
      ['OnActiveSec', ['t', microseconds(afterMs)]],
      ['OnUnitInactiveSec', ['t', microseconds(againMs)]],
      ['AccuracySec', ['t', microseconds(TIMER_ACCURACY_MS)]],
    ],
    [[`${name}.service`, oneshot(description, commands)]],
  ];
}

function serviceUnit({ name, description, command }: HostService): TransientUnit {
  return [
    `${name}.service`,
    [
      ['Description', ['s', description]],
      ['ExecStart', ['a(sasb)', [[command[0], [...command], false]]]],
    ],
    [],
  ];
}

function microseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1000);
}

async function ignoring(errorName: string, call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof BusError) || error.errorName !== errorName) throw error;
  }
}
