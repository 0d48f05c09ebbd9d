import { describe, expect, it, vi } from 'vitest';
import { Secret } from '../../../../src/core/index.ts';
import {
  createPullCredentials,
  pullCredentialOptions,
} from '../../../../src/kubelet/image-service/credentials/index.ts';
import { ImageServiceError, STATUS, type StatusCode } from '../../../../src/kubelet/image-service/errors.ts';
import { createLogger } from '../../../../src/telemetry/index.ts';
import { waitFor } from '../../../support/wait.ts';
import { createHeldClock } from '../held-clock.ts';
import { credential, hanging, IMAGE, nobody, provider, SHOWN, setUp, unauthorized } from './site.ts';

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
