import { createHttpClient } from '../../../network/index.ts';
import { parseChallenges } from '../../../oci/index.ts';
import { type Check, fail, ok, reasonOf, warn } from '../check.ts';
import type { Site } from './site.ts';

const TIMEOUT_MS = 10_000;
const MAXIMUM_BYTES = 64 * 1024;

/** What clients hear at the public URL, on the same way that they take. */
export const challengeCheck: Check<Site> = {
  name: 'challenge',
  async run({ options: { server } }, signal) {
    const { publicUrl } = server;
    if (publicUrl === undefined) return [];
    const http = createHttpClient({ reach: 'any', timeoutMs: TIMEOUT_MS, maximumBytes: MAXIMUM_BYTES });
    try {
      const { status, headers } = await http.request(new URL('/v2/', publicUrl), { signal });
      const said = [headers['www-authenticate'] ?? []].flat();
      const realm = parseChallenges(said)
        .find(({ scheme }) => scheme === 'bearer')
        ?.parameters.get('realm');
      if (status !== 401 || realm === undefined) {
        return fail(
          `${publicUrl}/v2/ answers ${status}, and not with a challenge for a token`,
          'does this address lead to the proxy? See what it says: curl -i URL/v2/',
        );
      }
      if (realm.startsWith(`${publicUrl}/`)) return ok(`${publicUrl} sends clients to ${realm}`);
      return fail(
        `${publicUrl} sends clients to ${realm}`,
        'the proxy that runs has another server.publicUrl; restart it with this file',
      );
    } catch (error) {
      signal.throwIfAborted();
      return warn(
        `${publicUrl} gives no answer from here: ${reasonOf(error)}`,
        'start the proxy, or look from where the clients are',
      );
    } finally {
      await http.close();
    }
  },
};
