import { type Check, fail, ok, reasonOf } from '../check.ts';
import type { Visit } from './visit.ts';

/** Whether it is a registry that answers. */
export const challengeCheck: Check<Visit> = {
  name: 'registry',
  needs: ['connection'],
  async run(visit, signal) {
    try {
      const { status } = await visit.ping(signal);
      if (status === 200) return ok('/v2/ answers 200: anybody may ask');
      if (status === 401) return ok('/v2/ answers 401: it wants a login');
      const next =
        status >= 300 && status < 400
          ? 'the url is not where the registry is; take the address that it redirects to'
          : 'is the url that of a registry? See what it says: curl -i URL/v2/';
      return fail(`/v2/ answers ${status}`, next);
    } catch (error) {
      return fail(`/v2/ gives no answer: ${reasonOf(error)}`, 'see what it says: curl -i URL/v2/');
    }
  },
};
