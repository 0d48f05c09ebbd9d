import type { Change } from './plan/index.ts';
import { SERVICE_UNIT, SOCKET_UNIT } from './plan/index.ts';
import type { SetupDependencies } from './setup.ts';

/** Starts the image service anew. The socket stays, unless its own unit has changed: then nobody waits in vain. */
export async function restartService(
  { systemd, progress }: SetupDependencies,
  changes: readonly Change[],
): Promise<void> {
  await progress({ name: 'start service', subject: SERVICE_UNIT });
  const socketChanged = changes.some(({ path }) => path.endsWith(`/${SOCKET_UNIT}`));
  if (socketChanged) await systemd.stop(SOCKET_UNIT);
  await systemd.stop(SERVICE_UNIT);
  for (const unit of [SOCKET_UNIT, SERVICE_UNIT]) {
    await systemd.resetFailed(unit);
    await systemd.start(unit);
  }
}

/** The socket first, else the next connection would start the service again. */
export async function stopService({ systemd, progress }: SetupDependencies): Promise<void> {
  await progress({ name: 'stop service', subject: SERVICE_UNIT });
  for (const unit of [SOCKET_UNIT, SERVICE_UNIT]) {
    if ((await systemd.unit(unit)).loadState === 'not-found') continue;
    await systemd.stop(unit);
    await systemd.resetFailed(unit);
  }
}

/** systemd reads the files again; what it has then is what is on disk. */
export async function reloadUnits({ systemd, progress }: SetupDependencies): Promise<void> {
  await progress({ name: 'reload systemd', subject: 'unit files' });
  await systemd.reload();
}
