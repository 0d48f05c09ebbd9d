import type { Logger } from './log.ts';

/** One decision: who asked for what, which rule answered, and what came of it. */
export interface AuditEntry {
  readonly requestId: string;
  /** The client's address, as far as trusted proxies vouch for it. */
  readonly client: string;
  readonly verifier: string;
  /** The identity's name; empty for anonymous, or where nobody was recognised. */
  readonly name: string;
  /** `login`, `pull`, `push`, `delete`, `list` */
  readonly action: string;
  /** The host that the client asked. */
  readonly host: string;
  /** The registry that a mirror stood for (`?ns=`). */
  readonly namespace?: string;
  readonly repository?: string;
  readonly reference?: string;
  /** The repository that a blob was taken over from, with a push. */
  readonly mountedFrom?: string;
  /** Where the route led. */
  readonly upstream?: string;
  readonly rule?: string | undefined;
  readonly outcome: 'allowed' | 'denied' | 'refused' | 'cannot-tell' | 'limited';
  readonly reason?: string;
  /** Status of the answer. */
  readonly status: number;
  /** Body bytes that reached the client's socket. */
  readonly bytes: number;
  /** Body bytes of a push that were read. */
  readonly received?: number;
  /** Whether the answer went out whole. */
  readonly complete: boolean;
}

export interface AuditLog {
  write(entry: AuditEntry): void;
}

/** Audit lines are log lines with `"log":"audit"`; they are written whatever the log level is. */
export function createAuditLog(logger: Logger): AuditLog {
  const lines = logger.child({ log: 'audit' }, { level: 'info' });
  return { write: (entry) => lines.info(entry, 'audit') };
}
