export { createNotifier, type Notifier } from './notifier.ts';
export { startWatchdog } from './watchdog.ts';
