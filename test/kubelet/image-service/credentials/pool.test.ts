import { describe, expect, it, vi } from 'vitest';
import type { CredentialProvider } from '../../../../src/credentials/index.ts';
import { createPool } from '../../../../src/credentials/pool.ts';
import { ImageServiceError, STATUS } from '../../../../src/kubelet/image-service/errors.ts';
import { waitFor } from '../../../support/wait.ts';
import { credential, hanging, nobody, provider, SHOWN, setUp, unauthorized } from './site.ts';

const pool = (...members: readonly CredentialProvider[]) => createPool(members);

describe('a pool', () => {
  const tooMany = new ImageServiceError(
    STATUS.UNKNOWN,
    'toomanyrequests: You have reached your pull rate limit.',
  );

  it('goes on with the next member when one is turned away, and begins with that one from then on', async () => {
    const members = ['a', 'b', 'c'].map((username) => provider([credential(username)]));
    const { pull, users, events } = setUp('provider-only', pool(...members), ['b']);
    expect(await pull()).toBe('pulled as b');
    expect(await pull()).toBe('pulled as b');
    expect(users()).toEqual(['a', 'b', 'b']);
    expect(events).toEqual(['provider turned-away', 'provider pulled', 'provider pulled']);
    expect(members.map(({ requests }) => requests.length)).toEqual([1, 2, 0]);
  });

  it('has a member that rests serve again when all others are turned away', async () => {
    const allowed = ['b'];
    const { pull, users } = setUp(
      'provider-only',
      pool(...['a', 'b'].map((name) => provider([credential(name)]))),
      allowed,
    );
    await pull();
    allowed.splice(0, 1, 'a');
    expect(await pull()).toBe('pulled as a');
    expect(users()).toEqual(['a', 'b', 'b', 'a']);
  });

  it('tries each member once, and then says what the registry said', async () => {
    const { pull, users } = setUp(
      'provider-only',
      pool(...['a', 'b'].map((name) => provider([credential(name)]))),
      [],
    );
    await expect(pull(SHOWN)).rejects.toBe(unauthorized);
    expect(users()).toEqual(['a', 'b']);
  });

  it('comes before and after what kubelet has, as a whole', async () => {
    const members = () => ['a', 'b'].map((name) => provider([credential(name)]));
    const first = setUp('provider-first', pool(...members()), ['from-kubelet']);
    expect(await first.pull(SHOWN)).toBe('pulled as from-kubelet');
    expect(first.users()).toEqual(['a', 'b', 'from-kubelet']);
    const last = setUp('kubelet-first', pool(...members()), ['b']);
    expect(await last.pull(SHOWN)).toBe('pulled as b');
    expect(last.users()).toEqual(['from-kubelet', 'a', 'b']);
  });

  it('goes on with the next member when one has used up its rate limit', async () => {
    const members = ['a', 'b'].map((name) => provider([credential(name)]));
    const { pull, users, events } = setUp('provider-only', pool(...members), ['b'], tooMany);
    expect(await pull()).toBe('pulled as b');
    expect(users()).toEqual(['a', 'b']);
    expect(events).toEqual(['provider failed', 'provider pulled']);
  });

  it('of which all are used up tries nothing else, as one that is used up does not', async () => {
    for (const made of [
      pool(provider([credential('a')]), provider([credential('b')])),
      provider([credential('a')]),
    ]) {
      const { pull, users } = setUp('provider-first', made, ['from-kubelet'], tooMany);
      await expect(pull(SHOWN)).rejects.toBe(tooMany);
      expect(users()).not.toContain('from-kubelet');
    }
  });

  it('goes on with the next member when one has no credential or fails, and says so where none was enough', async () => {
    const members = () => [
      provider([undefined]),
      provider([new Error('no network')]),
      provider([credential('c')]),
    ];
    const well = setUp('provider-only', pool(...members()), ['c']);
    expect(await well.pull()).toBe('pulled as c');
    expect(well.events).toEqual(['pool[1] error', 'provider pulled']);
    const badly = setUp('provider-only', pool(...members()), []);
    await expect(badly.pull()).rejects.toThrow(
      'unauthorized: authentication required (the pool provider failed: no network)',
    );
  });

  it('has a member make a new credential before the next one is tried', async () => {
    const discard = vi.fn();
    const renewing = provider([credential('old'), credential('new')], { discard });
    const { pull, users, events } = setUp('provider-only', pool(renewing, provider([credential('b')])), [
      'b',
    ]);
    expect(await pull()).toBe('pulled as b');
    expect(users()).toEqual(['old', 'new', 'b']);
    expect(events).toContain('pool[0] refreshed');
    expect(discard).toHaveBeenCalledOnce();
  });

  it('pulls without a credential where a member says so, once, and where none has one', async () => {
    const { pull, users } = setUp('kubelet-first', pool(provider([credential('a')]), nobody), []);
    await expect(pull()).rejects.toBe(unauthorized);
    expect(users()).toEqual(['a', '']);
    const limited = setUp('provider-only', pool(provider([credential('a')]), nobody), [''], tooMany);
    expect(await limited.pull(SHOWN)).toBe('pulled as nobody');
    const without = setUp('provider-only', pool(provider([undefined]), provider([undefined])), ['']);
    expect(await without.pull()).toBe('pulled as nobody');
    const failing = setUp('provider-only', pool(provider([undefined]), provider([new Error('no')])), ['']);
    await expect(failing.pull()).rejects.toThrow('the pool provider failed: no');
  });

  it('holds up a pull for 20 s at most, and begins with the others the next time', async () => {
    const fine = provider([credential('c')]);
    const { pull, clock, events } = setUp('kubelet-first', pool(hanging(), hanging(), fine), ['', 'c']);
    const pulling = pull();
    for (let member = 0; member < 2; member += 1) {
      await waitFor('the wait', () => clock.sleeping() || undefined);
      clock.advance(10_000);
      await waitFor('the end of the wait', () => events.length > member || undefined);
    }
    expect(await pulling).toBe('pulled as nobody');
    expect(events).toEqual(['pool[0] timeout', 'pool[1] timeout', 'none pulled']);
    expect(fine.requests).toEqual([]);
    expect(await pull()).toBe('pulled as c');
  });

  it('closes its members', async () => {
    const close = vi.fn(async () => undefined);
    const member = () => provider([undefined], { close });
    await setUp('kubelet-first', pool(member(), member()), []).credentials.close();
    expect(close).toHaveBeenCalledTimes(2);
  });
});
