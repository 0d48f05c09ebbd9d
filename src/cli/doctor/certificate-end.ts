import { type Finding, fail, ok, warn } from './check.ts';

const DAY_MS = 24 * 60 * 60_000;
const SOON_DAYS = 14;

/** What the end of a certificate means. @param what whose it is, to begin a sentence with */
export function certificateEnd(what: string, endsAt: number, now: number): readonly Finding[] {
  const days = Math.floor((endsAt - now) / DAY_MS);
  const date = new Date(endsAt).toISOString().slice(0, 10);
  if (days < 0) return fail(`${what} ended on ${date}`, 'renew it');
  if (days < SOON_DAYS) {
    return warn(
      `${what} ends on ${date}, in ${days} ${days === 1 ? 'day' : 'days'}`,
      'have it renewed before',
    );
  }
  return ok(`${what} is good until ${date}`);
}
