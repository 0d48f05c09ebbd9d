import { isIP } from 'node:net';

/** `new URL` without the exception; undefined for what is not an absolute URL. */
export function parseUrl(text: string, base?: string | URL): URL | undefined {
  return URL.canParse(text, base?.toString()) ? new URL(text, base) : undefined;
}

/** Whether a host of a URL or an address is this machine, by its name alone: nothing is looked up. */
export function isLoopbackHost(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

/** https, or http within this machine: whoever is on the way to such a service could read what it is shown, or answer for it. */
export function isSafeServiceUrl(text: string): boolean {
  const url = parseUrl(text);
  if (!url || url.username + url.password + url.hash !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname));
}
