import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type Check, fail, ok, reasonOf } from '../check.ts';
import type { Visit } from './visit.ts';

/** Whether the host name has an address. */
export const nameCheck: Check<Visit> = {
  name: 'name',
  async run({ url }) {
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    if (isIP(host) !== 0) return [];
    try {
      const addresses = await lookup(host, { all: true });
      return ok(`${host} is ${addresses.map(({ address }) => address).join(', ')}`);
    } catch (error) {
      return fail(
        `${host} has no address (${reasonOf(error)})`,
        "correct the upstream's url, or ask whoever runs DNS here",
      );
    }
  },
};
