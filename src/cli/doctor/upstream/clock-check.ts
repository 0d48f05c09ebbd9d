import { type Check, fail, ok, warn } from '../check.ts';
import type { Visit } from './visit.ts';

const NOTICED_SECONDS = 60;
const HARMFUL_SECONDS = 300;

/** Whether the two clocks agree: tokens of many registries hold for minutes, by the clock. */
export const clockCheck: Check<Visit> = {
  name: 'clock',
  needs: ['registry'],
  async run(visit, signal) {
    const { date } = await visit.ping(signal);
    if (date === undefined) return [];
    const seconds = Math.round((visit.dependencies.clock.now() - date) / 1000);
    const away = Math.abs(seconds);
    if (away < NOTICED_SECONDS) return ok('the clocks agree');
    const message = `this clock is ${away} seconds ${seconds > 0 ? 'ahead of' : 'behind'} the registry's`;
    const next = 'set it by NTP: timedatectl set-ntp true';
    return away < HARMFUL_SECONDS ? warn(message, next) : fail(message, next);
  },
};
