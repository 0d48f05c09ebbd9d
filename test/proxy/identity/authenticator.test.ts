import { describe, expect, it } from 'vitest';
import { type Clock, type FileReference, Secret } from '../../../src/core/index.ts';
import {
  anonymousIdentity,
  authenticationOptions,
  createAuthenticator,
  createVerifiers,
  type LoginLimits,
  type Outcome,
  type Verifier,
  VerifierError,
} from '../../../src/proxy/identity/index.ts';
import type { StateStore } from '../../../src/state/index.ts';
import { createLogger, createMetrics } from '../../../src/telemetry/index.ts';
import { openLimits } from './support/open-limits.ts';

const yes = (name = 'alice'): Outcome => ({
  type: 'identity',
  identity: { verifier: 'somebody else', name, groups: ['g'], claims: { a: 1 } },
  anchor: 'mark',
});
const no: Outcome = { type: 'refused', reason: 'wrong' };
const unsure: Outcome = { type: 'cannot-tell', reason: 'down' };

interface Fake {
  readonly name: string;
  readonly username?: string;
  readonly issuer?: string;
  readonly answer?: Outcome;
  readonly verify?: Verifier['verify'];
  readonly renew?: Verifier['renew'];
}

function setUp(fakes: readonly Fake[], clock?: Clock, limits?: LoginLimits) {
  const asked: string[] = [];
  const closed: string[] = [];
  const logged: string[] = [];
  const metrics = createMetrics();
  const verifiers = fakes.map(
    (fake): Verifier => ({
      name: fake.name,
      ...(fake.username !== undefined && { username: fake.username }),
      ...(fake.issuer !== undefined && { issuer: fake.issuer }),
      verify(credential, signal) {
        asked.push(fake.name);
        return fake.verify?.(credential, signal) ?? Promise.resolve(fake.answer ?? no);
      },
      ...(fake.renew && { renew: fake.renew }),
      async close() {
        closed.push(fake.name);
      },
    }),
  );
  const authenticator = createAuthenticator({ anonymous: false }, verifiers, {
    log: createLogger('info', { write: (line) => logged.push(line) }),
    metrics,
    limits: limits ?? openLimits,
    ...(clock && { clock }),
  });
  const login = (username = 'alice', signal = new AbortController().signal, password = 'canary') =>
    authenticator.authenticate(
      { username, password: new Secret(password) },
      { address: '192.0.2.1', signal },
    );
  return { authenticator, login, asked, closed, logged, metrics };
}

describe('authenticate', () => {
  it('refuses when there is no verifier', async () => {
    expect(await setUp([]).login()).toMatchObject({ type: 'refused' });
  });

  it('takes the first that knows the credential, under its own name', async () => {
    const { login, asked } = setUp([
      { name: 'a', answer: no },
      { name: 'b', answer: yes() },
      { name: 'c', answer: yes() },
    ]);
    expect(await login()).toEqual({
      type: 'identity',
      identity: { verifier: 'b', name: 'alice', groups: ['g'], claims: { a: 1 } },
      anchor: 'mark',
    });
    expect(asked).toEqual(['a', 'b']);
  });

  it.each([
    ['nobody knows it and nobody is in doubt', [no, no], 'refused'],
    ['somebody cannot tell and nobody knows it', [no, unsure, no], 'cannot-tell'],
    ['somebody cannot tell and a later one knows it', [unsure, yes()], 'identity'],
  ] as const)('when %s', async (_, answers, type) => {
    const { login } = setUp(answers.map((answer, index) => ({ name: `v${index}`, answer })));
    expect((await login()).type).toBe(type);
  });

  it.each([
    ['knows', yes('_aws'), 'identity'],
    ['refuses', no, 'refused'],
    ['cannot tell', unsure, 'cannot-tell'],
  ] as const)('asks the picked verifier alone, also when it %s', async (_, answer, type) => {
    const { login, asked } = setUp([
      { name: 'open', answer: yes() },
      { name: 'nodes', username: '_aws', answer },
    ]);
    expect((await login('_aws')).type).toBe(type);
    expect(asked).toEqual(['nodes']);
  });

  it('does not ask a verifier with a user name about others', async () => {
    const { login, asked } = setUp([
      { name: 'nodes', username: '_aws', answer: yes() },
      { name: 'open', answer: no },
    ]);
    expect((await login('_AWS')).type).toBe('refused');
    expect(asked).toEqual(['open']);
  });

  describe('a JWT as the password', () => {
    const jwt = (payload: string) => `eyJhbGciOiJub25lIn0.${Buffer.from(payload).toString('base64url')}.c2ln`;
    const fakes = [
      { name: 'local', answer: no },
      { name: 'picked', username: 'robot', answer: no },
      { name: 'ci', issuer: 'https://ci.example', answer: no },
      { name: 'other', issuer: 'https://other.example', answer: no },
      { name: 'ci-too', issuer: 'https://ci.example', answer: yes() },
    ];

    it.each([
      [
        'of a known issuer goes to the verifiers of that issuer',
        'x',
        jwt('{"iss":"https://ci.example"}'),
        ['ci', 'ci-too'],
      ],
      [
        'is still for the verifier that the user name picks',
        'robot',
        jwt('{"iss":"https://ci.example"}'),
        ['picked'],
      ],
      [
        'of an unknown issuer goes to those that nothing picks',
        'x',
        jwt('{"iss":"https://ci.example/"}'),
        ['local'],
      ],
      ['without an issuer likewise', 'x', jwt('{"iss":["https://ci.example"]}'), ['local']],
      ['that is none likewise', 'x', jwt('{'), ['local']],
      [
        'that is huge likewise',
        'x',
        jwt(`{"iss":"https://ci.example","a":"${'x'.repeat(20_000)}"}`),
        ['local'],
      ],
      ['an ordinary password likewise', 'x', 'secret', ['local']],
    ])('%s', async (_, username, password, expected) => {
      const { login, asked } = setUp(fakes);
      await login(username, undefined, password);
      expect(asked).toEqual(expected);
    });
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('a defect');
      },
    ],
    ['rejects', () => Promise.reject(new Error('a defect'))],
    ['names nobody', () => Promise.resolve(yes(''))],
  ])('takes a verifier that %s for one that cannot tell, and says so in the log', async (_, verify) => {
    const { login, logged } = setUp([{ name: 'broken', verify }]);
    expect(await login()).toMatchObject({ type: 'cannot-tell' });
    expect(logged.join()).toContain('"verifier":"broken"');
    expect(logged.join()).not.toContain('canary');
  });

  it('waits ten seconds for a verifier and then asks the next', async () => {
    const slept: number[] = [];
    const clock: Clock = {
      now: () => 0,
      sleep: async (ms, signal) => {
        slept.push(ms);
        // The first question is the slow one.
        if (slept.length > 1) await new Promise((_, reject) => signal?.addEventListener('abort', reject));
      },
    };
    let seen: AbortSignal | undefined;
    const { login, asked } = setUp(
      [
        {
          name: 'stuck',
          verify: (_, signal) => {
            seen = signal;
            return new Promise(() => undefined);
          },
        },
        { name: 'good', answer: yes() },
      ],
      clock,
    );
    expect(await login()).toMatchObject({ type: 'identity' });
    expect(slept).toEqual([10_000, 10_000]);
    expect(seen?.aborted).toBe(true);
    expect(asked).toEqual(['stuck', 'good']);
  });

  it('stops asking when the client is gone', async () => {
    const controller = new AbortController();
    const { login, asked, metrics } = setUp([
      {
        name: 'a',
        verify: () => {
          controller.abort();
          return new Promise(() => undefined);
        },
      },
      { name: 'b', answer: yes() },
    ]);
    expect(await login('alice', controller.signal)).toMatchObject({ type: 'cannot-tell' });
    expect(asked).toEqual(['a']);
    expect((await metrics.logins.get()).values.map(({ labels }) => labels.verifier)).toEqual(['a']);
  });

  it('counts each answer', async () => {
    const { login, metrics } = setUp([
      { name: 'a', answer: no },
      { name: 'b', answer: yes() },
    ]);
    await login();
    const { values } = await metrics.logins.get();
    expect(values.map(({ labels, value }) => [labels.verifier, labels.outcome, value])).toEqual([
      ['a', 'refused', 1],
      ['b', 'identity', 1],
    ]);
  });
});

describe('renew', () => {
  const identity = { verifier: 'a', name: 'alice', groups: ['old'], claims: {} };
  const { signal } = new AbortController();

  it('asks the verifier of the identity, with the anchor', async () => {
    const seen: unknown[] = [];
    const { authenticator, asked } = setUp([
      { name: 'b', renew: async () => no },
      {
        name: 'a',
        renew: async (shown, anchor) => {
          seen.push(shown, anchor);
          return yes();
        },
      },
    ]);
    expect(authenticator.canRenew(identity)).toBe(true);
    expect(await authenticator.renew(identity, 'mark', signal)).toMatchObject({
      type: 'identity',
      identity: { verifier: 'a', name: 'alice', groups: ['g'] },
    });
    expect(seen).toEqual([identity, 'mark']);
    expect(asked).toEqual([]);
  });

  it.each([
    ['is gone', []],
    ['does not renew', [{ name: 'a', answer: yes() }]],
  ])('refuses when the verifier %s', async (_, fakes: Fake[]) => {
    const { authenticator } = setUp(fakes);
    expect(authenticator.canRenew(identity)).toBe(false);
    expect(await authenticator.renew(identity, undefined, signal)).toMatchObject({ type: 'refused' });
  });

  it('does not renew anonymous, whatever the verifiers are called', async () => {
    const { authenticator } = setUp([{ name: 'anonymous', renew: async () => yes() }]);
    expect(authenticator.canRenew(anonymousIdentity)).toBe(false);
    expect(await authenticator.renew(anonymousIdentity, undefined, signal)).toMatchObject({
      type: 'refused',
    });
  });

  it('cannot tell when the verifier throws or answers with somebody else', async () => {
    const broken = setUp([{ name: 'a', renew: () => Promise.reject(new Error('x')) }]);
    expect(await broken.authenticator.renew(identity, undefined, signal)).toMatchObject({
      type: 'cannot-tell',
    });
    const other = setUp([{ name: 'a', renew: async () => yes('bob') }]);
    expect(await other.authenticator.renew(identity, undefined, signal)).toMatchObject({
      type: 'cannot-tell',
    });
  });

  it('closes the verifiers', async () => {
    const { authenticator, closed } = setUp([{ name: 'a' }, { name: 'b' }]);
    await authenticator.close();
    expect(closed).toEqual(['a', 'b']);
  });
});

describe('createVerifiers', () => {
  const clock: Clock = { now: () => 0, sleep: async () => undefined };
  const dependencies = { clock, log: createLogger('silent'), state: {} as StateStore, secretKeys: () => [] };

  it('makes each by its type, and says which one it can not make', () => {
    const options = authenticationOptions.parse({
      verifiers: [
        { name: 'local', type: 'htpasswd', file: 'a', username: 'root' },
        { name: 'other', type: 'htpasswd', file: 'b' },
      ],
    });
    const [first, second] = options.verifiers.map((one) =>
      'file' in one ? (one.file as FileReference) : undefined,
    );
    first?.resolve('/a', Buffer.from(''));
    second?.resolve('/b', Buffer.from(''));
    expect(createVerifiers(options, dependencies).map(({ name, username }) => [name, username])).toEqual([
      ['local', 'root'],
      ['other', undefined],
    ]);
    second?.resolve('/b', Buffer.from('x'));
    expect(() => createVerifiers(options, dependencies)).toThrow(VerifierError);
    expect(() => createVerifiers(options, dependencies)).toThrow(
      'verifier other: /b, line 1: expected user:hash',
    );
  });
});
