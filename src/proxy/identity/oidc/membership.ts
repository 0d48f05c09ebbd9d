import type { Clock } from '../../../core/index.ts';
import type { Logger } from '../../../telemetry/index.ts';
import type { People, Person } from './people.ts';
import type { PersonalTokens } from './personal-tokens.ts';
import type { Provider, Refreshed } from './provider.ts';
import type { SealedBox } from './sealed-box.ts';

/** Whether a person still belongs, and with which groups. */
export type Membership =
  | { readonly type: 'member'; readonly person: Person }
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'cannot-tell'; readonly reason: string; readonly cause?: unknown };

export interface MembershipOptions {
  readonly groupsRefresh: number;
  readonly graceWhileDown: number;
  readonly allowedGroups?: readonly string[] | undefined;
}

export interface MembershipDependencies {
  readonly provider: Pick<Provider, 'refresh'>;
  readonly people: People;
  readonly tokens: Pick<PersonalTokens, 'forget'>;
  readonly box: SealedBox;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A person whom the provider is asked about. */
interface Asked {
  readonly person: Person;
  /** Whether the answer to an earlier question with the same refresh token was lost. */
  readonly wasUnanswered: boolean;
}

const SIGN_IN_AGAIN = { type: 'refused', reason: 'the person has to sign in again' } as const;
const NOT_KNOWN = { type: 'refused', reason: 'the person is not known any more' } as const;
const SIGNED_IN_MEANWHILE = { type: 'cannot-tell', reason: 'the person has just signed in again' } as const;

/** Longer than any refresh takes; a process that died in one holds the others up for so long. */
const CLAIM_MS = 30_000;
/** A person who was asked about within so many intervals uses their tokens all the time. */
const REGULAR_USE = 2;
/** A provider that is down is left alone for this, so that logins do not wait for it one by one. */
const LEFT_ALONE_MS = 10_000;

/**
 * Keeps what is known of people fresh, through the refresh token that the provider gave at their sign-in. Of several
 * logins at once, and of several processes, one asks: a refresh token may be good for one use only.
 */
export function createMembership(options: MembershipOptions, dependencies: MembershipDependencies) {
  const { provider, people, tokens, box, clock, log } = dependencies;
  const running = new Map<string, Promise<Membership>>();
  let askAgainAt = 0;

  const isFresh = (person: Person): boolean => clock.now() - person.refreshedAt < options.groupsRefresh;

  function admit(person: Person): Membership {
    const { allowedGroups } = options;
    const allowed = !allowedGroups || person.groups.some((group) => allowedGroups.includes(group));
    return allowed
      ? { type: 'member', person }
      : { type: 'refused', reason: 'the person is in none of the allowed groups' };
  }

  function lastKnown(person: Person, reason: string, cause?: unknown): Membership {
    const age = clock.now() - person.refreshedAt;
    if (age < options.groupsRefresh + options.graceWhileDown) return admit(person);
    return { type: 'cannot-tell', reason, ...(cause !== undefined && { cause }) };
  }

  async function ask(id: string): Promise<Membership> {
    let wasUnanswered = false;
    const claim = await people.update(id, (now) => {
      if (isFresh(now) || now.refreshToken === undefined) return undefined;
      if (now.refreshingUntil > clock.now() || askAgainAt > clock.now()) return undefined;
      wasUnanswered = now.unanswered === true;
      // Written down before the provider is asked: a process that dies in between has lost the answer too.
      return { ...now, refreshingUntil: clock.now() + CLAIM_MS, unanswered: true };
    });
    const { person } = claim;
    if (!person) return NOT_KNOWN;
    if (isFresh(person)) return admit(person);
    if (person.refreshToken === undefined) return SIGN_IN_AGAIN;
    if (!claim.changed) return lastKnown(person, 'the provider could not be asked a moment ago');

    const shown = box.open(person.refreshToken, id);
    if (shown === undefined) {
      await people.update(id, (now) => ({ ...now, unanswered: wasUnanswered }));
      return SIGN_IN_AGAIN;
    }
    return settle(id, { person, wasUnanswered }, await provider.refresh(shown, person.subject));
  }

  async function settle(id: string, asked: Asked, refreshed: Refreshed): Promise<Membership> {
    switch (refreshed.type) {
      case 'refused':
        return isDefinite(asked) ? forget(id, asked.person) : suspend(id, asked.person);
      case 'down': {
        askAgainAt = clock.now() + LEFT_ALONE_MS;
        const unanswered = refreshed.shown || asked.wasUnanswered;
        await people.update(id, (now) => ({
          ...now,
          refreshingUntil: 0,
          ...(now.refreshToken === asked.person.refreshToken && { unanswered }),
        }));
        return lastKnown(asked.person, 'the provider is out of reach', refreshed.cause);
      }
      case 'refreshed': {
        const { refreshToken, facts, cause } = refreshed;
        const { person } = await people.update(id, (now) => ({
          ...now,
          refreshingUntil: 0,
          // Somebody who signed in meanwhile has a newer one.
          ...(now.refreshToken === asked.person.refreshToken && {
            unanswered: false,
            ...(refreshToken !== undefined && { refreshToken: box.seal(refreshToken, id) }),
          }),
          ...(facts && { name: facts.name, groups: [...facts.groups], refreshedAt: clock.now() }),
        }));
        if (!person) return NOT_KNOWN;
        return facts ? admit(person) : lastKnown(person, 'the provider did not say who the person is', cause);
      }
    }
  }

  /**
   * Whether a refresh token that is refused means that the person is gone. Not where a successor may have been given in an
   * answer that never arrived, nor where the token has lain idle, which providers end tokens for as well.
   */
  const isDefinite = ({ person, wasUnanswered }: Asked): boolean =>
    !wasUnanswered && clock.now() - person.refreshedAt < options.groupsRefresh * REGULAR_USE;

  /** The person's tokens do not count until they have signed in again: if they are gone, they can't. */
  async function suspend(id: string, asked: Person): Promise<Membership> {
    const { changed, person } = await people.update(id, (now) =>
      now.refreshToken === asked.refreshToken
        ? { ...now, refreshToken: undefined, unanswered: false, refreshedAt: 0, refreshingUntil: 0 }
        : undefined,
    );
    if (!changed) return person ? SIGNED_IN_MEANWHILE : NOT_KNOWN;
    log.warn(
      { verifier: asked.verifier, name: asked.name },
      'the provider takes the refresh token of a person no more: they have to sign in again, then their tokens count again',
    );
    return SIGN_IN_AGAIN;
  }

  async function forget(id: string, asked: Person): Promise<Membership> {
    const { changed, person } = await people.update(id, (now) =>
      now.refreshToken === asked.refreshToken
        ? { ...now, tokens: [], refreshToken: undefined, groups: [], refreshedAt: 0, refreshingUntil: 0 }
        : undefined,
    );
    if (!changed && person) return SIGNED_IN_MEANWHILE;
    await tokens.forget(asked);
    await people.delete(id);
    log.info(
      { verifier: asked.verifier, name: asked.name },
      'the provider does not know a person any more: their tokens are deleted',
    );
    return { type: 'refused', reason: 'the provider does not know the person any more' };
  }

  return {
    /** @returns the person as of at most `groupsRefresh` ago, or longer while the provider is down */
    async current(id: string, person: Person): Promise<Membership> {
      if (isFresh(person)) return admit(person);
      const earlier = running.get(id);
      if (earlier) return earlier;
      const refresh = ask(id).finally(() => running.delete(id));
      running.set(id, refresh);
      return refresh;
    },
    admit,
    /** Resolves when no refresh is under way. */
    async settled(): Promise<void> {
      await Promise.allSettled(running.values());
    },
  };
}
