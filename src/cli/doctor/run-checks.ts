import { type Check, type Finding, reasonOf } from './check.ts';

/** A finding, and where it belongs. */
export interface Result extends Finding {
  /** `server`, or the upstream's name. */
  readonly subject: string;
  readonly check: string;
}

const TIMEOUT_MS = 30_000;

/** Runs checks one after the other, each with its own time limit, and hands over each result as it comes. */
export async function* runChecks<Subject>(
  name: string,
  subject: Subject,
  checks: readonly Check<Subject>[],
): AsyncGenerator<Result> {
  const failed = new Set<string>();
  for (const check of checks) {
    const missing = check.needs?.find((needed) => failed.has(needed));
    const findings: readonly Finding[] =
      missing === undefined
        ? await attempt(check, subject)
        : [{ status: 'skipped', message: `needs ${missing} to be well first` }];
    if (findings.some(({ status }) => status === 'fail' || status === 'skipped')) failed.add(check.name);
    for (const finding of findings) yield { subject: name, check: check.name, ...finding };
  }
}

async function attempt<Subject>(check: Check<Subject>, subject: Subject): Promise<readonly Finding[]> {
  try {
    return await check.run(subject, AbortSignal.timeout(TIMEOUT_MS));
  } catch (error) {
    return [{ status: 'fail', message: reasonOf(error), next: 'see what the message names' }];
  }
}
