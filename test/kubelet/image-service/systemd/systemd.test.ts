import { describe, expect, it, onTestFinished } from 'vitest';
import { createNotifier, startWatchdog } from '../../../../src/kubelet/image-service/systemd/index.ts';
import { createLogger } from '../../../../src/telemetry/index.ts';
import { ownFolder } from '../../../support/own-folder.ts';
import { waitFor } from '../../../support/wait.ts';
import { createHeldClock } from '../held-clock.ts';
import { startNotifySocket } from '../support/notify-socket.ts';

const PID = 7;

function logger() {
  const lines: string[] = [];
  return { lines, log: createLogger('debug', { write: (line) => void lines.push(line) }) };
}

describe('systemd', () => {
  it('is told over its socket, and of nothing else in the environment', async () => {
    const socket = await startNotifySocket(await ownFolder());
    onTestFinished(() => socket.close());
    const { log, lines } = logger();
    const notifier = createNotifier({ env: { NOTIFY_SOCKET: socket.path }, pid: PID, log });
    await notifier.notify('READY=1');
    await notifier.notify('RELOADING=1', 'MONOTONIC_USEC=5');
    expect(socket.messages).toEqual(['READY=1', 'RELOADING=1 MONOTONIC_USEC=5']);
    expect(lines).toEqual([]);
  });

  it('is told nothing where it does not wait for it', async () => {
    const { log, lines } = logger();
    const notifier = createNotifier({ env: {}, pid: PID, log });
    await notifier.notify('READY=1');
    expect(notifier.watchdogMs).toBeUndefined();
    expect(lines).toEqual([]);
  });

  it('that can not be told is a line in the log that says what to do, and no failure', async () => {
    const { log, lines } = logger();
    const env = { NOTIFY_SOCKET: '/nowhere/notify.sock', WATCHDOG_USEC: '9000000' };
    const without = createNotifier({ env, pid: PID, log, programs: ['/nowhere/systemd-notify'] });
    await without.notify('READY=1');
    expect(without.watchdogMs).toBeUndefined();
    expect(lines.join('')).toMatch(/Type=exec/);
    await createNotifier({ env, pid: PID, log }).notify('READY=1');
    expect(lines.join('')).toMatch(/systemd could not be told/);
  });

  it.each([
    [{ WATCHDOG_USEC: '30000000' }, 30_000],
    [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '7' }, 30_000],
    [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '8' }, undefined],
    [{ WATCHDOG_USEC: 'x' }, undefined],
  ])('asks for signs of life with %j', (env, expected) => {
    const { log } = logger();
    const notifier = createNotifier({ env: { NOTIFY_SOCKET: '/x', ...env }, pid: PID, log });
    expect(notifier.watchdogMs).toBe(expected);
  });

  it('is given a sign of life only after a call on our own socket was answered', async () => {
    const clock = createHeldClock();
    const { log, lines } = logger();
    const told: string[] = [];
    const outcomes = [true, false, true];
    let probes = 0;
    const watchdog = startWatchdog(
      { watchdogMs: 30_000, notify: async (...states) => void told.push(...states) },
      {
        clock,
        log,
        probe: async () => {
          probes += 1;
          if (!outcomes[probes - 1]) throw new Error('no answer');
        },
      },
    );
    for (const round of [1, 2, 3]) {
      await waitFor('the probe', () => (probes === round && clock.sleeping() === 1) || undefined);
      clock.advance(10_000);
    }
    watchdog.close();
    expect(told.slice(0, 2)).toEqual(['WATCHDOG=1', 'WATCHDOG=1']);
    expect(lines.join('')).toMatch(/own socket was not answered/);
  });
});
