import { type Check, type Finding, fail, ok, reasonOf } from '../check.ts';
import type { Visit } from './visit.ts';

/** Whether each credential can be had. Never says what it is. */
export const credentialCheck: Check<Visit> = {
  name: 'credential',
  async run(visit, signal) {
    const findings: Finding[] = [];
    for (const [index, provider] of visit.probe.providers.entries()) {
      const label = visit.label(index);
      try {
        const credential = await visit.credential(provider, signal);
        findings.push(...ok(`${label}${describe(provider.type, credential?.expiresAt, !credential)}`));
      } catch (error) {
        findings.push(
          ...fail(
            `${label}none can be had of type ${provider.type}: ${reasonOf(error)}`,
            'put that right first',
          ),
        );
      }
    }
    return findings;
  },
};

function describe(type: string, expiresAt: number | undefined, isMissing: boolean): string {
  if (isMissing) return type === 'anonymous' ? 'none is configured' : `${type} has none for this registry`;
  const end = expiresAt === undefined ? '' : `, until ${new Date(expiresAt).toISOString()}`;
  return `there is one of type ${type}${end}`;
}
