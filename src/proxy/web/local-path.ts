import { parseUrl } from '../../core/index.ts';

const MAXIMUM_LENGTH = 512;
const ANY_ORIGIN = 'https://here.invalid';
/** No backslash, which browsers take for a slash; nothing that they leave out, like a tab. */
const PATH = /^\/(?!\/)[\x21-\x5b\x5d-\x7e]*$/;

/**
 * A path on this very host to go on to.
 * @returns `fallback` for anything that a browser could take for another place: `//evil`, `/\evil`, `/..//evil`, a scheme
 */
export function localPath(text: string | null, fallback: string): string {
  if (text === null || text.length > MAXIMUM_LENGTH || !PATH.test(text)) return fallback;
  const url = parseUrl(text, ANY_ORIGIN);
  if (url?.origin !== ANY_ORIGIN) return fallback;
  // Taking the dots out of `/..//evil` leaves `//evil`.
  const path = `${url.pathname}${url.search}`;
  return PATH.test(path) ? path : fallback;
}
