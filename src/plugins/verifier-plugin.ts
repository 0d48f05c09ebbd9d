import type { Clock, Secret } from '../core/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { type LoginAnswer, type PluginIdentity, parseDescribeAnswer, parseLoginAnswer } from './answers.ts';
import type { Caller } from './caller.ts';
import { PluginError } from './errors.ts';
import { redactError, redactText } from './redact.ts';
import type { Question, Transport } from './transport.ts';

/** A plugin that checks credentials. */
export interface VerifierPlugin {
  /** Whether it renews logins; true as long as it has not said otherwise. */
  readonly renews: boolean;
  /** @throws {PluginError} when it can't tell; the signal's reason when it is aborted */
  verify(username: string, password: Secret, signal: AbortSignal): Promise<LoginAnswer>;
  /** Refuses when the plugin does not renew. @throws {PluginError} like {@link verify} */
  renew(identity: PluginIdentity, signal: AbortSignal): Promise<LoginAnswer>;
  close(): Promise<void>;
}

/** How long a plugin's description of itself is believed. */
const DESCRIPTION_KEPT_MS = 5 * 60_000;

export function createVerifierPlugin(
  name: string,
  caller: Caller,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): VerifierPlugin {
  const context = { name };
  let renews = true;
  let describedUntil = Number.NEGATIVE_INFINITY;

  async function describe(ask: Transport['ask'], signal: AbortSignal): Promise<void> {
    if (clock.now() < describedUntil) return;
    const answer = await ask({ method: 'describe', body: { context }, secrets: [] }, signal);
    ({ renew: renews } = parseDescribeAnswer(answer));
    describedUntil = clock.now() + DESCRIPTION_KEPT_MS;
    log.debug({ renew: renews }, 'a plugin described itself');
  }

  async function askLogin(question: Question, signal: AbortSignal): Promise<LoginAnswer> {
    try {
      const answer = await caller.call(async (ask, limited): Promise<LoginAnswer> => {
        await describe(ask, limited);
        if (question.method === 'renew' && !renews) {
          return { type: 'refused', reason: 'the plugin does not renew logins' };
        }
        return parseLoginAnswer(await ask(question, limited));
      }, signal);
      if (answer.type === 'identity') return answer;
      return { ...answer, reason: redactText(answer.reason, question.secrets) || 'the plugin says no' };
    } catch (error) {
      throw error instanceof PluginError ? redactError(error, question.secrets) : error;
    }
  }

  return {
    get renews() {
      return renews;
    },
    async verify(username, password, signal) {
      const shown = password.reveal();
      const body = { username, password: shown, context };
      // A plugin may repeat it as it stood in the question.
      const secrets = [shown, JSON.stringify(shown).slice(1, -1)];
      return askLogin({ method: 'verify', body, secrets }, signal);
    },
    async renew(identity, signal) {
      return askLogin({ method: 'renew', body: { identity, context }, secrets: [] }, signal);
    },
    close: () => caller.close(),
  };
}
