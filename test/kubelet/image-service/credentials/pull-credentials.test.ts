import { describe, expect, it, vi } from 'vitest';
import { Secret } from '../../../../src/core/index.ts';
import type { Credential, CredentialProvider, CredentialRequest } from '../../../../src/credentials/index.ts';
import { createPool } from '../../../../src/credentials/pool.ts';
import { authConfig } from '../../../../src/kubelet/image-service/auth-config.ts';
import {
  createPullCredentials,
  type PullCredentialsObserver,
  pullCredentialOptions,
} from '../../../../src/kubelet/image-service/credentials/index.ts';
import { ImageServiceError, STATUS, type StatusCode } from '../../../../src/kubelet/image-service/errors.ts';
import type { PullAttempt } from '../../../../src/kubelet/image-service/image-service.ts';
import { createLogger } from '../../../../src/telemetry/index.ts';
import { waitFor } from '../../../support/wait.ts';
import { createHeldClock } from '../held-clock.ts';

const IMAGE = 'docker.example.com/team/app:v1';
const SHOWN = authConfig({ username: 'from-kubelet', password: 'k' });

/** A provider that answers with one after the other; the last one again and again. */
function provider(
  answers: readonly (Credential | undefined | Error)[],
  more: Partial<CredentialProvider> = {},
): CredentialProvider & { readonly requests: CredentialRequest[] } {
  const requests: CredentialRequest[] = [];
  return {
    type: 'made-up',
    requests,
    credential: async (request) => {
      const answer = answers[Math.min(requests.length, answers.length - 1)];
      requests.push(request);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    close: async () => undefined,
    ...more,
  };
}

const credential = (username: string): Credential => ({ username, password: new Secret(`${username}'s`) });

/** Several providers for one registry. */
function pool(...members: readonly CredentialProvider[]): CredentialProvider {
  return createPool(members);
}

const nobody: CredentialProvider = { ...provider([undefined]), type: 'anonymous' };

const unauthorized = new ImageServiceError(STATUS.UNKNOWN, 'unauthorized: authentication required');

/** Pulls where only the named users may; '' is nobody in particular. */
function setUp(
  order: string,
  made: CredentialProvider,
  allowed: readonly string[],
  failure: ImageServiceError = unauthorized,
) {
  const clock = createHeldClock();
  const events: string[] = [];
  const answers: string[] = [];
  const observer: PullCredentialsObserver = {
    attempted: ({ source, outcome }) => events.push(`${source} ${outcome}`),
    providerFailed: ({ provider: type, reason }) => events.push(`${type} ${reason}`),
    answered: ({ answer }) => answers.push(answer),
    refreshed: ({ provider: type }) => events.push(`${type} refreshed`),
  };
  const options = pullCredentialOptions.parse([
    { images: ['docker.example.com/**'], order, provider: { type: 'anonymous' } },
  ]);
  const credentials = createPullCredentials(options, {
    clock,
    log: createLogger('silent'),
    observer,
    createProvider: () => made,
  });
  const attempts: PullAttempt[] = [];
  const attempt = async (one: PullAttempt): Promise<string> => {
    attempts.push(one);
    const username = one.auth?.username ?? '';
    if (!allowed.includes(username)) throw failure;
    return `pulled as ${username || 'nobody'}`;
  };
  const users = () => attempts.map(({ auth }) => auth?.username ?? '');
  const { signal } = new AbortController();
  const pull = (shown = undefined as typeof SHOWN | undefined, image = IMAGE) =>
    credentials.pull(image, shown, attempt, { signal });
  return { clock, answers, events, credentials, attempts, attempt, users, pull };
}

describe("a provider's answers", () => {
  it('are counted: those that it has kept apart from new ones', async () => {
    const [first, second] = [credential('first'), credential('second')];
    const made = provider([first, first, second, undefined, first]);
    const { pull, answers } = setUp('provider-first', made, ['first', 'second', '']);
    for (let pulls = 0; pulls < 5; pulls += 1) await pull();
    expect(answers).toEqual(['new', 'kept', 'new', 'none', 'kept']);
  });
});

describe('kubelet-first', () => {
  it('leaves the provider alone while the credential of kubelet does', async () => {
    const made = provider([credential('ours')]);
    const { pull, users } = setUp('kubelet-first', made, ['from-kubelet']);
    expect(await pull(SHOWN)).toBe('pulled as from-kubelet');
    expect(users()).toEqual(['from-kubelet']);
    expect(made.requests).toEqual([]);
  });

  it("takes the provider's when the one of kubelet is turned away", async () => {
    const { pull, users, events } = setUp('kubelet-first', provider([credential('ours')]), ['ours']);
    expect(await pull(SHOWN)).toBe('pulled as ours');
    expect(users()).toEqual(['from-kubelet', 'ours']);
    expect(events).toEqual(['kubelet turned-away', 'provider pulled']);
  });

  it("begins with the provider's when kubelet has none", async () => {
    const { pull, users } = setUp('kubelet-first', provider([credential('ours')]), ['ours']);
    expect(await pull()).toBe('pulled as ours');
    expect(users()).toEqual(['ours']);
  });

  it('pulls without any when the provider has none either', async () => {
    const { pull, attempts } = setUp('kubelet-first', provider([undefined]), ['']);
    expect(await pull()).toBe('pulled as nobody');
    expect(attempts).toEqual([{ auth: undefined, source: 'none' }]);
  });

  it('goes on without the provider when it fails', async () => {
    const { pull, events } = setUp('kubelet-first', provider([new Error('no network')]), ['']);
    expect(await pull()).toBe('pulled as nobody');
    expect(events).toEqual(['made-up error', 'none pulled']);
  });

  it("says that the provider failed when the credential of kubelet wasn't enough", async () => {
    const { pull } = setUp('kubelet-first', provider([new Error('no network')]), []);
    await expect(pull(SHOWN)).rejects.toMatchObject({
      code: STATUS.UNKNOWN,
      message: 'unauthorized: authentication required (the made-up provider failed: no network)',
    });
  });

  it('still pulls a public image when its credential is turned away', async () => {
    const { pull, users } = setUp('kubelet-first', provider([credential('ours')]), ['']);
    expect(await pull()).toBe('pulled as nobody');
    expect(users()).toEqual(['ours', '']);
  });
});

describe('provider-first', () => {
  it("begins with the provider's", async () => {
    const { pull, users } = setUp('provider-first', provider([credential('ours')]), ['ours', 'from-kubelet']);
    expect(await pull(SHOWN)).toBe('pulled as ours');
    expect(users()).toEqual(['ours']);
  });

  it.each([
    ['is turned away', provider([credential('ours')]), ['ours', 'from-kubelet']],
    ['is missing', provider([undefined]), ['from-kubelet']],
    ["can't be made", provider([new Error('no')]), ['from-kubelet']],
  ])("goes on with kubelet's when it %s", async (_case, made, expected) => {
    const { pull, users } = setUp('provider-first', made, ['from-kubelet']);
    expect(await pull(SHOWN)).toBe('pulled as from-kubelet');
    expect(users()).toEqual(expected);
  });
});

describe('provider-only', () => {
  it('never shows what kubelet has', async () => {
    const { pull, users } = setUp('provider-only', provider([credential('ours')]), ['from-kubelet', '']);
    await expect(pull(SHOWN)).rejects.toBe(unauthorized);
    expect(users()).toEqual(['ours']);
  });

  it('pulls without a credential where the provider says that there is none', async () => {
    const { pull, users } = setUp('provider-only', provider([undefined]), ['']);
    expect(await pull(SHOWN)).toBe('pulled as nobody');
    expect(users()).toEqual(['']);
  });

  it('does not pull when the provider fails, and says why', async () => {
    const { pull, users } = setUp('provider-only', provider([new Error('no network')]), ['from-kubelet', '']);
    await expect(pull(SHOWN)).rejects.toMatchObject({
      code: STATUS.UNAVAILABLE,
      message:
        'not pulled, because the made-up provider failed: no network; the order for this image is provider-only',
    });
    expect(users()).toEqual([]);
  });
});

describe('a credential that is turned away', () => {
  it('is replaced once', async () => {
    const discard = vi.fn();
    const [old, fresh, third] = [credential('old'), credential('fresh'), credential('third')];
    const made = provider([old, fresh, third], { discard });
    const { pull, users, events } = setUp('provider-only', made, ['fresh']);
    expect(await pull()).toBe('pulled as fresh');
    expect(users()).toEqual(['old', 'fresh']);
    expect(discard).toHaveBeenCalledExactlyOnceWith(old);
    expect(events).toEqual(['provider turned-away', 'made-up refreshed', 'provider pulled']);
  });

  it('is not replaced a second time', async () => {
    const made = provider([credential('a'), credential('b'), credential('c')], { discard: () => undefined });
    const { pull, users } = setUp('provider-only', made, ['c']);
    await expect(pull()).rejects.toBe(unauthorized);
    expect(users()).toEqual(['a', 'b']);
  });

  it('is not shown again when the provider makes the same one', async () => {
    const made = provider([credential('same')], { discard: () => undefined });
    const { pull, users } = setUp('provider-only', made, []);
    await expect(pull()).rejects.toBe(unauthorized);
    expect(users()).toEqual(['same']);
  });

  it('is not asked for again where the provider can only repeat itself', async () => {
    const made = provider([credential('static')]);
    const { pull } = setUp('provider-only', made, []);
    await expect(pull()).rejects.toBe(unauthorized);
    expect(made.requests).toHaveLength(1);
  });

  it('is not replaced when the failure is about something else', async () => {
    const notFound = new ImageServiceError(STATUS.UNKNOWN, 'manifest unknown');
    const made = provider([credential('ours')], { discard: () => undefined });
    const { pull, users, events } = setUp('provider-first', made, [], notFound);
    await expect(pull(SHOWN)).rejects.toBe(notFound);
    expect(users()).toEqual(['ours']);
    expect(events).toEqual(['provider failed']);
  });
});

/** It does not heed its signal either. */
const hanging = (): CredentialProvider => ({
  ...provider([undefined]),
  credential: () => new Promise(() => undefined),
});

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

describe('a provider that hangs', () => {
  it('is passed over after 10 s, even when it does not heed its signal', async () => {
    const { pull, clock, events } = setUp('kubelet-first', hanging(), ['']);
    const pulling = pull();
    await waitFor('the wait', () => clock.sleeping() || undefined);
    clock.advance(9_999);
    expect(clock.sleeping()).toBe(1);
    clock.advance(1);
    expect(await pulling).toBe('pulled as nobody');
    expect(events).toEqual(['made-up timeout', 'none pulled']);
  });

  it('fails the pull under provider-only', async () => {
    const { pull, clock } = setUp('provider-only', hanging(), ['']);
    const pulling = expect(pull()).rejects.toThrow('the made-up provider failed: gave no answer within 10 s');
    await waitFor('the wait', () => clock.sleeping() || undefined);
    clock.advance(10_000);
    await pulling;
  });

  it('does not hold back a kubelet that gives up, and nothing is tried after that', async () => {
    const { credentials, attempt, attempts, clock } = setUp('kubelet-first', hanging(), ['']);
    const controller = new AbortController();
    const pulling = credentials.pull(IMAGE, undefined, attempt, controller);
    await waitFor('the wait', () => clock.sleeping() || undefined);
    const reason = new Error('deadline');
    controller.abort(reason);
    await expect(pulling).rejects.toBe(reason);
    expect(attempts).toEqual([]);
    expect(clock.sleeping()).toBe(0);
  });
});

it.each(['kubelet-first', 'provider-first'])(
  'under %s a rule with the anonymous provider leaves it to what kubelet has, so that a wrong one fails',
  async (order) => {
    const { pull, users } = setUp(order, nobody, ['', 'from-kubelet']);
    expect(await pull(SHOWN)).toBe('pulled as from-kubelet');
    expect(await pull()).toBe('pulled as nobody');
    expect(users()).toEqual(['from-kubelet', '']);
    const wrong = setUp(order, nobody, ['']);
    await expect(wrong.pull(SHOWN)).rejects.toBe(unauthorized);
    expect(wrong.users()).toEqual(['from-kubelet']);
  },
);

it('kubelet that gives up during an attempt gets no other attempt', async () => {
  const { credentials, events } = setUp('provider-first', provider([credential('ours')]), []);
  const controller = new AbortController();
  const pulling = credentials.pull(
    IMAGE,
    SHOWN,
    async () => {
      controller.abort(new Error('deadline'));
      throw unauthorized;
    },
    controller,
  );
  await expect(pulling).rejects.toThrow('deadline');
  expect(events).toEqual([]);
});

describe("what a runtime is told about the provider's credential", () => {
  it.each([
    [IMAGE, 'https://docker.example.com', 'docker.example.com'],
    ['docker.example.com:5000/app', 'https://docker.example.com:5000', 'docker.example.com:5000'],
    ['nginx', 'https://registry-1.docker.io', 'registry-1.docker.io'],
  ])('for %s names %s', async (image, serverAddress, registry) => {
    const made = provider([credential('ours')]);
    const options = pullCredentialOptions.parse([{ images: ['**'], provider: { type: 'anonymous' } }]);
    const log = createLogger('silent');
    const credentials = createPullCredentials(options, {
      clock: createHeldClock(),
      log,
      createProvider: () => made,
    });
    const { signal } = new AbortController();
    const auth = await credentials.pull(image, undefined, async (attempt) => attempt.auth, { signal });
    expect(auth).toMatchObject({ username: 'ours', password: "ours's", serverAddress });
    expect(made.requests).toMatchObject([{ registry, image }]);
  });
});

it('an identity token is handed on as one', async () => {
  const made = provider([{ username: '<token>', password: new Secret('refresh') }]);
  const { credentials } = setUp('provider-only', made, []);
  const { signal } = new AbortController();
  const auth = await credentials.pull(IMAGE, undefined, async (attempt) => attempt.auth, { signal });
  expect(auth).toMatchObject({ username: '', password: '', identityToken: 'refresh' });
});

describe('which rule', () => {
  async function usernameFor(image: string, rules: Readonly<Record<string, string>>) {
    const options = pullCredentialOptions.parse(
      Object.entries(rules).map(([pattern, username]) => ({
        images: [pattern],
        provider: { type: 'static', username, password: 'p' },
      })),
    );
    const log = createLogger('silent');
    const credentials = createPullCredentials(options, { clock: createHeldClock(), log });
    const { signal } = new AbortController();
    return credentials.pull(image, undefined, async ({ auth }) => auth?.username, { signal });
  }

  const RULES = {
    '**': 'everything',
    'docker.example.com/**': 'registry',
    'docker.example.com/team/**': 'team',
    'docker.example.com/team/app': 'app',
    '*.example.com/**': 'wild',
    'docker.io/**': 'hub',
  };

  it.each([
    ['docker.example.com/x', 'registry'],
    ['docker.example.com/team/x', 'team'],
    ['docker.example.com/team/app:v1', 'app'],
    ['other.example.com/team/app', 'wild'],
    ['nginx', 'hub'],
    ['quay.io/x', 'everything'],
  ])('%s takes the longest: %s', async (image, expected) => {
    expect(await usernameFor(image, RULES)).toBe(expected);
    const reversed = Object.fromEntries(Object.entries(RULES).reverse());
    expect(await usernameFor(image, reversed)).toBe(expected);
  });

  it.each(['a'.repeat(64), 'docker.example.com/Not/A/Reference', ''])(
    '%j, which is no reference, takes none',
    async (image) => {
      expect(await usernameFor(image, RULES)).toBeUndefined();
    },
  );

  it('an image that no pattern means is pulled with what kubelet has', async () => {
    const { pull, attempts } = setUp('provider-only', provider([credential('ours')]), ['from-kubelet', '']);
    expect(await pull(SHOWN, 'quay.io/app')).toBe('pulled as from-kubelet');
    expect(await pull(undefined, 'quay.io/app')).toBe('pulled as nobody');
    expect(attempts).toEqual([
      { auth: SHOWN, source: 'kubelet' },
      { auth: undefined, source: 'none' },
    ]);
  });
});

describe('options', () => {
  const rule = { images: ['docker.example.com/**'], provider: { type: 'anonymous' } };

  it('are none when missing, and kubelet comes first by default', () => {
    expect(pullCredentialOptions.parse(undefined)).toEqual([]);
    expect(pullCredentialOptions.parse([rule])[0]?.order).toBe('kubelet-first');
  });

  it.each([
    ['a pattern that stands twice', [rule, { ...rule, images: ['Docker.example.com:443/**'] }], /twice/],
    ['no pattern', [{ ...rule, images: [] }], /expected/i],
    ['an unknown order', [{ ...rule, order: 'provider' }], /provider-only/],
    ['a pattern without a registry', [{ ...rule, images: ['app'] }], /docker\.io\/app/],
  ])('refuse %s', (_case, options, message) => {
    expect(pullCredentialOptions.safeParse(options).error?.message).toMatch(message);
  });
});

it('closes its providers', async () => {
  const close = vi.fn(async () => undefined);
  const { credentials } = setUp('kubelet-first', provider([undefined], { close }), []);
  await credentials.close();
  expect(close).toHaveBeenCalledOnce();
});

it.each<StatusCode>([STATUS.UNAUTHENTICATED, STATUS.PERMISSION_DENIED])(
  'takes code %i for a credential that is turned away',
  async (code) => {
    const failure = new ImageServiceError(code, 'no');
    const { pull, users } = setUp('kubelet-first', provider([credential('ours')]), ['ours'], failure);
    expect(await pull(SHOWN)).toBe('pulled as ours');
    expect(users()).toEqual(['from-kubelet', 'ours']);
  },
);
