/** `skipped`: something before it failed, so there was nothing to look at. */
export type Status = 'ok' | 'warn' | 'fail' | 'skipped';

/** What a check found: one line. */
export interface Finding {
  readonly status: Status;
  readonly message: string;
  /** What to do, unless all is well. */
  readonly next?: string;
}

/** One thing to look at. A new one is a file with one of these, and its line in the list. */
export interface Check<Subject> {
  /** Two words at most. */
  readonly name: string;
  /** Checks that have to have gone well before this one makes sense. */
  readonly needs?: readonly string[];
  /**
   * @returns nothing where the check does not apply to this subject
   * @throws only what is not foreseen; it becomes a finding that failed
   */
  run(subject: Subject, signal: AbortSignal): Promise<readonly Finding[]>;
}

export function ok(message: string): readonly Finding[] {
  return [{ status: 'ok', message }];
}

export function warn(message: string, next: string): readonly Finding[] {
  return [{ status: 'warn', message, next }];
}

export function fail(message: string, next: string): readonly Finding[] {
  return [{ status: 'fail', message, next }];
}

/** The innermost reason that says something, as one line. */
export function reasonOf(error: unknown): string {
  const reasons: string[] = [];
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1) {
    const text = cause.message.replace(/\s*\n\s*/g, ' ').trim();
    const { code } = cause as { code?: unknown };
    const reason = text || (typeof code === 'string' ? code : cause.name);
    if (!reasons.some((known) => known.includes(reason))) reasons.push(reason);
  }
  return reasons.join(': ') || String(error);
}
