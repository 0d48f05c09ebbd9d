import { type Clock, createTurns } from '../../../core/index.ts';
import type { Logger } from '../../../telemetry/index.ts';
import { LdapSetupError } from './errors.ts';

/**
 * Keeps a wrong password of the proxy's own account from locking that account. Until the directory has taken it once, one
 * attempt is made at a time; once refused, none at all for a while, which grows.
 */
export interface BindGuard {
  /**
   * @param bind answers why it was refused, or undefined when it was not; what it throws says nothing of the password
   * @throws {LdapSetupError} when it is refused, and without an attempt during a pause; the signal's reason
   */
  attempt(bind: () => Promise<string | undefined>, signal: AbortSignal): Promise<void>;
}

export interface BindGuardDependencies {
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
  readonly verifier: string;
}

const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 300_000;

interface Pause {
  readonly since: number;
  readonly lengthMs: number;
  readonly refusal: string;
}

export function createBindGuard(dn: string, dependencies: BindGuardDependencies): BindGuard {
  const { clock, log, verifier } = dependencies;
  // Who waits holds a turn of the connections already, which are few.
  const turns = createTurns({ concurrency: 1, queueLimit: Number.POSITIVE_INFINITY, what: 'logins' });
  let proven = false;
  let pause: Pause | undefined;

  function leftMs({ since, lengthMs }: Pause): number {
    const passed = clock.now() - since;
    // A clock that was set back must not make the pause longer.
    return passed < 0 ? 0 : Math.max(0, lengthMs - passed);
  }

  function requireOpen(): void {
    if (!pause || leftMs(pause) === 0) return;
    const seconds = Math.ceil(leftMs(pause) / 1000);
    throw new LdapSetupError(
      `the directory refused bindDn: ${pause.refusal}; the next attempt is made in ${seconds} s`,
    );
  }

  function noteRefusal(refusal: string): void {
    proven = false;
    // Of attempts that were under way together, the first one counts.
    if (pause && leftMs(pause) > 0) return;
    const lengthMs = pause ? Math.min(pause.lengthMs * 2, LONGEST_PAUSE_MS) : FIRST_PAUSE_MS;
    pause = { since: clock.now(), lengthMs, refusal };
    log.error(
      { verifier, bindDn: dn, reason: refusal, pauseSeconds: lengthMs / 1000 },
      'the directory refuses bindDn; so that the account is not locked, nobody logs in with it until the pause is over',
    );
  }

  async function run(bind: () => Promise<string | undefined>): Promise<void> {
    requireOpen();
    const refusal = await bind();
    if (refusal !== undefined) {
      noteRefusal(refusal);
      throw new LdapSetupError(`the directory refused bindDn: ${refusal}`);
    }
    if (pause) log.info({ verifier, bindDn: dn }, 'the directory takes bindDn again');
    proven = true;
    pause = undefined;
  }

  return {
    async attempt(bind, signal) {
      requireOpen();
      return proven ? run(bind) : turns.run(() => run(bind), signal);
    },
  };
}
