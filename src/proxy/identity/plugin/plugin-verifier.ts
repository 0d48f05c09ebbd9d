import { createVerifierHost, type LoginAnswer, type PluginDependencies } from '../../../plugins/index.ts';
import type { Identity } from '../identity.ts';
import { settle } from '../settle.ts';
import type { Outcome, ShownCredential, Verifier } from '../verifier.ts';
import type { PluginVerifierOptions } from './options.ts';

const MAXIMUM_USERNAME_LENGTH = 256;
const MAXIMUM_PASSWORD_LENGTH = 64 * 1024;

/**
 * Asks a plugin. What no login can hold never gets there: no empty password, no NUL, nothing overlong.
 * @throws when a certificate or a secret that the options name can't be used
 */
export function createPluginVerifier(
  options: PluginVerifierOptions,
  dependencies: PluginDependencies,
): Verifier {
  const { name, username } = options;
  const plugin = createVerifierHost(name, options, dependencies);
  let closed = false;

  async function ask(question: () => Promise<LoginAnswer>, signal: AbortSignal): Promise<Outcome> {
    if (closed) return { type: 'cannot-tell', reason: 'the verifier is closed' };
    const outcome = await settle(async () => outcomeOf(name, await question()), signal);
    // There are refresh tokens only where `renew` is; a plugin says so itself once it has been asked.
    if (plugin.renews) verifier.renew = renew;
    else delete verifier.renew;
    return outcome;
  }

  async function renew(
    { name: person, groups, claims }: Identity,
    anchor: string | undefined,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const outcome = await ask(() => plugin.renew({ name: person, groups, claims, anchor }, signal), signal);
    if (outcome.type === 'identity' && outcome.identity.name !== person) {
      return { type: 'cannot-tell', reason: 'the plugin renewed another name than it was asked for' };
    }
    return outcome;
  }

  const verifier: Verifier = {
    name,
    ...(username !== undefined && { username }),
    async verify(credential, signal) {
      const reason = impossible(credential);
      if (reason !== undefined && !closed) return { type: 'refused', reason };
      return ask(() => plugin.verify(credential.username, credential.password, signal), signal);
    },
    renew,
    async close() {
      closed = true;
      await plugin.close();
    },
  };
  return verifier;
}

function outcomeOf(verifier: string, answer: LoginAnswer): Outcome {
  if (answer.type === 'refused') return answer;
  const { name, groups, claims, anchor } = answer.identity;
  const identity: Identity = { verifier, name, groups, claims };
  return { type: 'identity', identity, ...(anchor !== undefined && { anchor }) };
}

/** Why no plugin could know this credential. */
function impossible({ username, password }: ShownCredential): string | undefined {
  const shown = password.reveal();
  if (username === '' || username.length > MAXIMUM_USERNAME_LENGTH || /[\p{Cc}\p{Cs}:]/u.test(username)) {
    return 'no possible user name';
  }
  if (shown === '') return 'the password is empty';
  if (shown.length > MAXIMUM_PASSWORD_LENGTH) return 'the password is too long';
  if (/[\0\p{Cs}]/u.test(shown)) return 'the password holds what is no text';
  return undefined;
}
