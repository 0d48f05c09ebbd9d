import { type Check, type Finding, fail, ok, reasonOf, warn } from '../check.ts';
import { loginAdvice } from './login-advice.ts';
import type { Visit } from './visit.ts';

/** Whether the registry lets each credential in. */
export const loginCheck: Check<Visit> = {
  name: 'login',
  needs: ['realm'],
  async run(visit, signal) {
    const scheme = (await visit.ping(signal)).scheme();
    const findings: Finding[] = [];
    for (const [index, provider] of visit.probe.providers.entries()) {
      const label = visit.label(index);
      // One that can't be had is told by the check before.
      const had = await visit.credential(provider, signal).then(
        (credential) => ({ credential }),
        () => undefined,
      );
      if (!had) continue;
      if (!scheme) {
        if (!had.credential) continue;
        findings.push(
          ...warn(
            `${label}the registry asks for no login, so it can't be tried`,
            'leave credentials out if all that is pulled is public',
          ),
        );
        continue;
      }
      try {
        await visit.probe.login(scheme, had.credential, signal);
        findings.push(...ok(`${label}${had.credential ? 'accepted' : 'anybody gets a token'}`));
      } catch (error) {
        findings.push(...fail(`${label}${reasonOf(error)}`, loginAdvice(provider.type)));
      }
    }
    return findings;
  },
};
