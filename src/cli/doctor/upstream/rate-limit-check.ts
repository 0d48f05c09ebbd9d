import { type Check, type Finding, fail, ok, reasonOf, warn } from '../check.ts';
import type { Visit } from './visit.ts';

const DOCKER_HUB = 'registry-1.docker.io';
const FEW_SHARE = 0.1;

/** What each credential has left at Docker Hub. The question itself costs nothing. */
export const rateLimitCheck: Check<Visit> = {
  name: 'rate limit',
  needs: ['login'],
  async run(visit, signal) {
    const isCounted = ({ type }: { type: string }) =>
      type === 'dockerhub' || visit.url.hostname === DOCKER_HUB;
    const scheme = (await visit.ping(signal)).scheme();
    if (!scheme) return [];
    const findings: Finding[] = [];
    for (const [index, provider] of visit.probe.providers.entries()) {
      if (!isCounted(provider)) continue;
      const label = visit.label(index);
      try {
        const credential = await visit.credential(provider, signal);
        const limit = await visit.probe.rateLimit(scheme, credential, signal);
        if (!limit) {
          findings.push(...ok(`${label}pulls are not limited`));
          continue;
        }
        const { remaining, limit: most, windowSeconds, countedBy } = limit;
        const window = windowSeconds === undefined ? '' : ` in ${windowSeconds / 3600} hours`;
        const by = countedBy === undefined ? '' : `, counted by ${countedBy}`;
        const text = `${label}${remaining}${most === undefined ? '' : ` of ${most}`} pulls left${window}${by}`;
        if (credential && countedBy === 'address') {
          findings.push(
            ...warn(text, 'the login does not count: the account has no plan of its own, or is not known'),
          );
        } else if (remaining <= (most ?? 0) * FEW_SHARE) {
          findings.push(...warn(text, 'add credentials in a pool, or a larger plan'));
        } else findings.push(...ok(text));
      } catch (error) {
        findings.push(...fail(`${label}${reasonOf(error)}`, 'try again later'));
      }
    }
    return findings;
  },
};
