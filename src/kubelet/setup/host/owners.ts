import { readFileSync } from 'node:fs';

const CAP_CHOWN = 1n << 0n;

/**
 * Whether this process may give a file to anybody. Root may, but not in a container that has dropped its capabilities.
 * @see https://man7.org/linux/man-pages/man7/capabilities.7.html
 */
export function mayGiveFilesAway(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return effective !== undefined && (BigInt(`0x${effective}`) & CAP_CHOWN) !== 0n;
}
