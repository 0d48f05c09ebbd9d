import type { CredentialProvider } from '../../../credentials/index.ts';
import { NOBODYS, type Outcome, type Try } from './outcome.ts';
import { Rotation } from './rotation.ts';
import {
  type RuleCredential,
  type RuleCredentialDependencies,
  ruleCredentials,
  type Wanted,
} from './rule-credential.ts';

/** A rule's provider: one credential, or several of which one after the other is tried. */
export interface RuleProvider {
  /** The `type` in the configuration. */
  readonly type: string;
  /**
   * Tries until one pulls. One that was turned away, is used up or can't be had rests: it comes after all others from then on.
   * @param alone whether nothing else is tried after it, so that a provider without a credential means a pull without one
   * @returns how the tries ended, in their order
   */
  pull<T>(wanted: Wanted, tryOnce: Try<T>, alone: boolean): Promise<readonly Outcome<T>[]>;
  close(): Promise<void>;
}

export function createRuleProvider(
  provider: CredentialProvider,
  dependencies: RuleCredentialDependencies,
): RuleProvider {
  const credentials = new Rotation(ruleCredentials(provider, dependencies));
  return {
    type: provider.type,
    async pull<T>(wanted: Wanted, tryOnce: Try<T>, alone: boolean) {
      const ended: Outcome<T>[] = [];
      for (const credential of credentials.inTurn) {
        if (wanted.patience.isOver) break;
        const outcome = await pullWith(credential, wanted, tryOnce);
        ended.push(outcome);
        if (outcome.type === 'pulled') return ended;
        if (!isWithout(outcome)) credentials.rest(credential);
      }
      return alone && ended.every(isWithout) ? [await tryOnce(NOBODYS)] : ended;
    },
    close: () => provider.close(),
  };
}

async function pullWith<T>(credential: RuleCredential, wanted: Wanted, tryOnce: Try<T>): Promise<Outcome<T>> {
  const answer = await credential.get(wanted);
  if (answer.type === 'none' && credential.isNobody) return tryOnce(NOBODYS);
  if (answer.type === 'none') return { type: 'passed-over' };
  if (answer.type === 'failed') return { type: 'passed-over', failure: answer.error };
  const outcome = await tryOnce({ auth: answer.auth, source: 'provider' });
  if (outcome.type !== 'turned-away') return outcome;
  const another = await credential.replace(answer.credential, wanted);
  if (another?.type !== 'credential') return outcome;
  return tryOnce({ auth: another.auth, source: 'provider' });
}

function isWithout(outcome: Outcome<unknown>): boolean {
  return outcome.type === 'passed-over' && outcome.failure === undefined;
}
