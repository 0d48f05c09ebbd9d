/** Beyond this a number is a time and not a length: Docker Hub has been seen to send Unix time. */
const EARLIEST_TIME_SECONDS = 1_000_000_000;

/**
 * How long a `Retry-After` asks to wait, in milliseconds.
 * @returns undefined for what is neither a number of seconds nor a time
 * @see RFC 9110, section 10.2.3
 */
export function retryAfterMs(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,12}$/.test(text)) {
    const seconds = Number(text);
    return seconds < EARLIEST_TIME_SECONDS ? seconds * 1000 : Math.max(0, seconds * 1000 - now);
  }
  const date = Date.parse(text);
  return /[a-z]/i.test(text) && !Number.isNaN(date) ? Math.max(0, date - now) : undefined;
}
