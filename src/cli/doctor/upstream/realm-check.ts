import { type Check, fail, ok, reasonOf } from '../check.ts';
import type { Visit } from './visit.ts';

/** Whether the registry's token server may see the credential. */
export const realmCheck: Check<Visit> = {
  name: 'realm',
  needs: ['registry'],
  async run(visit, signal) {
    const ping = await visit.ping(signal);
    try {
      const scheme = ping.scheme();
      if (!scheme) return [];
      if (scheme.type === 'basic') return ok('it takes the credential itself (Basic)');
      return ok(`tokens come from ${scheme.realm.url.origin}, which may see the credential`);
    } catch (error) {
      return fail(
        reasonOf(error),
        "nothing is sent there; if it is the registry's own token server, list its origin in realms",
      );
    }
  },
};
