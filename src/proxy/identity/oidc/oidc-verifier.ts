import * as crypto from 'node:crypto';
import type { Clock } from '../../../core/index.ts';
import type { StateStore } from '../../../state/index.ts';
import type { Logger } from '../../../telemetry/index.ts';
import { settle } from '../settle.ts';
import type { Outcome, Verifier } from '../verifier.ts';
import { createMembership } from './membership.ts';
import type { OidcVerifierOptions } from './options.ts';
import { createPeople } from './people.ts';
import { createPersonalTokens, type FoundToken } from './personal-tokens.ts';
import { createProvider } from './provider.ts';
import { createSealedBox, type SecretKeys } from './sealed-box.ts';
import { createSignIn, type SignIn } from './sign-in.ts';
import { parsePersonalToken } from './token-format.ts';

export interface OidcDependencies {
  readonly state: StateStore;
  readonly secretKeys: SecretKeys;
  readonly clock: Clock;
  readonly log: Logger;
  readonly randomBytes?: (size: number) => Buffer;
}

/** A verifier whose people sign in with a browser. */
export interface OidcVerifier extends Verifier {
  readonly signIn: SignIn;
}

export function isOidcVerifier(verifier: Verifier): verifier is OidcVerifier {
  return 'signIn' in verifier;
}

/** Besides the owner's name, for programs that only know the token. */
const ANY_OWNER = 'token';

/**
 * Personal access tokens of people who have signed in with an OpenID provider. The provider is asked for their groups
 * now and then; when it knows a person no more, their tokens are deleted.
 */
export function createOidcVerifier(
  options: OidcVerifierOptions,
  dependencies: OidcDependencies,
): OidcVerifier {
  const { state, secretKeys, clock, log, randomBytes = crypto.randomBytes } = dependencies;
  const box = createSealedBox(secretKeys('oidc refresh tokens'));
  const provider = createProvider(options, { clock });
  const people = createPeople(options, { state, clock });
  const tokens = createPersonalTokens({ people, state, clock, randomBytes });
  const membership = createMembership(options, { provider, people, tokens, box, clock, log });
  const signIn = createSignIn(
    { ...options, title: options.title ?? options.name },
    { provider, people, tokens, box, admit: membership.admit, clock },
  );
  const closed = new AbortController();

  async function outcomeOf(
    { id, personId, person }: FoundToken,
    owner: string | undefined,
  ): Promise<Outcome> {
    const current = await membership.current(personId, person);
    if (current.type !== 'member') return current;
    const { name, groups, subject } = current.person;
    if (owner !== undefined && owner !== name) {
      return { type: 'refused', reason: 'the token belongs to somebody with another name' };
    }
    await tokens.used(id);
    const identity = { verifier: options.name, name, groups: [...groups], claims: { sub: subject } };
    return { type: 'identity', identity, anchor: id };
  }

  function answer(work: () => Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
    return settle(work, AbortSignal.any([signal, closed.signal]));
  }

  return {
    name: options.name,
    ...(options.username !== undefined && { username: options.username }),
    signIn,
    issued: (password) => parsePersonalToken(password) !== undefined,
    verify({ username, password }, signal) {
      return answer(async () => {
        if (!parsePersonalToken(password))
          return { type: 'refused', reason: 'this is no personal access token' };
        const found = await tokens.check(password);
        if (!found) return { type: 'refused', reason: 'the token is not known, has ended or was revoked' };
        const anyOwner = username === ANY_OWNER || username === options.username;
        return outcomeOf(found, anyOwner ? undefined : username);
      }, signal);
    },
    renew(identity, anchor, signal) {
      return answer(async () => {
        const found = anchor === undefined ? undefined : await tokens.find(anchor);
        if (!found) return { type: 'refused', reason: 'the token has ended or was revoked' };
        return outcomeOf(found, identity.name);
      }, signal);
    },
    async close() {
      if (closed.signal.aborted) return;
      closed.abort(new Error('the verifier is closed'));
      // A refresh that is cut off may have spent the refresh token for nothing.
      await membership.settled();
      await provider.close();
    },
  };
}
