import { headerOf, isSecure, type WebRequest } from './web-request.ts';

/** Cookies of ours. Over https their names have the prefix that keeps other hosts from setting them. */
export type CookieName = 'drp-session' | 'drp-sign-in';

const MAXIMUM_COOKIE_LENGTH = 4096;

/** @returns undefined for one that is missing, too long, or there twice: then somebody else has set one */
export function readCookie(request: WebRequest, name: CookieName): string | undefined {
  const wanted = `${fullName(request, name)}=`;
  const pairs = (headerOf(request, 'cookie') ?? '').split(';').map((pair) => pair.trim());
  const values = pairs.filter((pair) => pair.startsWith(wanted)).map((pair) => pair.slice(wanted.length));
  const [value] = values;
  return values.length === 1 && value && value.length <= MAXIMUM_COOKIE_LENGTH ? value : undefined;
}

/** A `Set-Cookie` line. @see RFC 6265bis, section 4.1.3.2 for the prefix */
export function setCookie(
  request: WebRequest,
  name: CookieName,
  value: string,
  maximumAgeMs: number,
): string {
  const secure = isSecure(request) ? '; Secure' : '';
  const seconds = Math.floor(maximumAgeMs / 1000);
  return `${fullName(request, name)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`;
}

export function clearCookie(request: WebRequest, name: CookieName): string {
  return setCookie(request, name, '', 0);
}

function fullName(request: WebRequest, name: CookieName): string {
  return isSecure(request) ? `__Host-${name}` : name;
}
