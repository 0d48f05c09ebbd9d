import { parseUrl } from '../core/index.ts';

const LOOPBACK_HOST = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** https, or http within this machine: what goes there is a credential. */
export function isSafeServiceUrl(text: string): boolean {
  const url = parseUrl(text);
  if (!url || url.username + url.password + url.hash !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
}

export function isLoopback(hostname: string): boolean {
  return LOOPBACK_HOST.test(hostname);
}
