import { describe, expect, it } from 'vitest';
import type { PluginErrorCode, PluginOptions } from '../../../src/plugins/index.ts';
import {
  createLogBook,
  createShiftedClock,
  errorOf,
  parseOptions,
  providerOf,
  verifierOf,
} from '../support.ts';

/** What a plugin does with every question but `describe`, which it answers. */
export const BEHAVIOURS = ['good', 'slow', 'hang', 'crash', 'flood', 'not-json', 'wrong-schema'] as const;
/** What only code that runs within the proxy could do to it. */
export const INNER_BEHAVIOURS = ['spin', 'throw-later', 'exit'] as const;
export type InnerBehaviour = (typeof INNER_BEHAVIOURS)[number];
export type Behaviour = (typeof BEHAVIOURS)[number] | InnerBehaviour;

/** How long a slow plugin takes before it answers like a good one. */
export const SLOW_MS = 300;

/** Answers of a good plugin: somebody whose password is "good", and a credential. */
export const GOOD_IDENTITY = { name: 'ada', groups: ['platform'], claims: { team: 1 } };
export const GOOD_CREDENTIAL = { username: 'acme', password: 'secret', expiresAt: '2100-01-01T00:00:00Z' };
export const WRONG_SCHEMA = { identity: { groups: 'platform' }, credential: { username: 7 } };

/** A plugin of one kind whose behaviour can be changed while it runs. */
export interface FaultyPlugin {
  readonly options: Readonly<Record<string, unknown>> & { readonly type: PluginOptions['type'] };
  become(behaviour: Behaviour): void;
  /** How many questions but `describe` have reached it. */
  asked(): number;
}

export interface FaultCase {
  /** Makes one that is good at first; it ends with the test. */
  readonly create: () => Promise<FaultyPlugin>;
  /** What each fault comes to. */
  readonly codes: Readonly<Record<Exclude<Behaviour, 'good' | 'slow' | InnerBehaviour>, PluginErrorCode>> &
    Readonly<Partial<Record<InnerBehaviour, PluginErrorCode>>>;
}

const TIMEOUTS: Partial<Record<Behaviour, string>> = { hang: '1s', spin: '2s' };
const ORDINARY_TIMEOUT = '9s';
const MAXIMUM_GROWTH_BYTES = 100 * 1024 * 1024;

/** What every kind of plugin has to stand. */
export function describeFaults(kind: string, { create, codes }: FaultCase): void {
  const faults = Object.entries(codes) as [Exclude<Behaviour, 'good' | 'slow'>, PluginErrorCode][];

  const outerFaults = faults.filter(([fault]) => !INNER_BEHAVIOURS.some((inner) => inner === fault));

  describe(`${kind}, when the plugin misbehaves`, () => {
    it('gets the answers of a good one', async () => {
      const { options } = await create();
      const { verify } = verifierOf(parseOptions(options));
      expect(await verify()).toEqual({ type: 'identity', identity: { ...GOOD_IDENTITY, anchor: undefined } });
      expect(await verify('bad')).toEqual({ type: 'refused', reason: 'wrong password' });
      expect(await providerOf(parseOptions(options)).fetch()).toEqual({
        ...GOOD_CREDENTIAL,
        expiresAt: Date.parse(GOOD_CREDENTIAL.expiresAt),
      });
    });

    it('is waited for when it is slow to begin, by those who come meanwhile too', async () => {
      const { options, become } = await create();
      become('slow');
      const { verify } = verifierOf(parseOptions({ ...options, timeout: ORDINARY_TIMEOUT }));
      const answers = await Promise.all([verify(), verify(), verify('bad')]);
      expect(answers.map(({ type }) => type)).toEqual(['identity', 'identity', 'refused']);
    });

    it.each(faults)('%s is %s for a login, and the next question is asked again', async (behaviour, code) => {
      const { options, become } = await create();
      const timeout = TIMEOUTS[behaviour] ?? ORDINARY_TIMEOUT;
      const { verify } = verifierOf(parseOptions({ ...options, timeout }));
      await verify();
      become(behaviour);
      const error = await errorOf(verify('canary-password'));
      expect(error.code).toBe(code);
      expect(error.message).not.toContain('canary-password');
      become('good');
      expect(await verify()).toMatchObject({ type: 'identity' });
    });

    it.each(outerFaults)('%s is %s for a credential', async (behaviour, code) => {
      const { options, become } = await create();
      const timeout = TIMEOUTS[behaviour] ?? ORDINARY_TIMEOUT;
      const { fetch } = providerOf(parseOptions({ ...options, timeout }));
      become(behaviour);
      expect((await errorOf(fetch())).code).toBe(code);
      become('good');
      expect(await fetch()).toMatchObject({ username: 'acme' });
    });

    it('an endless answer takes little memory', async () => {
      const { options, become } = await create();
      const { verify } = verifierOf(parseOptions(options));
      await verify();
      become('flood');
      const before = process.memoryUsage().rss;
      await errorOf(verify());
      expect(process.memoryUsage().rss - before).toBeLessThan(MAXIMUM_GROWTH_BYTES);
    });

    it('is left alone after five failures, and asked again later', async () => {
      const { options, become, asked } = await create();
      const clock = createShiftedClock();
      const { verify } = verifierOf(parseOptions(options), { clock });
      await verify();
      become('not-json');
      for (let failure = 0; failure < 5; failure += 1)
        expect((await errorOf(verify())).code).toBe('nonsense');
      const before = asked();
      expect((await errorOf(verify())).code).toBe('resting');
      expect(asked()).toBe(before);

      clock.advance(10_000);
      expect((await errorOf(verify())).code).toBe('nonsense');
      become('good');
      clock.advance(10_000);
      expect((await errorOf(verify())).code).toBe('resting');
      clock.advance(10_000);
      expect(await verify()).toMatchObject({ type: 'identity' });
      expect(await verify()).toMatchObject({ type: 'identity' });
    });

    it('does not hold up another plugin of its kind', async () => {
      const [hanging, good] = await Promise.all([create(), create()]);
      hanging.become('hang');
      const options = { ...hanging.options, timeout: '9s' };
      const stuck = errorOf(verifierOf(parseOptions(options)).verify());
      expect(await verifierOf(parseOptions(good.options)).verify()).toMatchObject({ type: 'identity' });
      // Ends with the test, when the plugin is closed.
      stuck.catch(() => undefined);
    });

    it('is given up when nobody waits any more, which says nothing against it', async () => {
      const { options, become, asked } = await create();
      const { verify } = verifierOf(parseOptions({ ...options, timeout: '9s' }));
      await verify();
      become('hang');
      for (let login = 0; login < 6; login += 1) {
        const controller = new AbortController();
        const before = asked();
        const answer = verify('good', controller.signal);
        await expect.poll(asked, { timeout: 5000 }).toBe(before + 1);
        controller.abort(new Error('gone'));
        await expect(answer).rejects.toThrow('gone');
      }
      become('good');
      expect(await verify()).toMatchObject({ type: 'identity' });
    });

    it('is given up when it is closed', async () => {
      const { options, become, asked } = await create();
      const { plugin, verify } = verifierOf(parseOptions({ ...options, timeout: '9s' }));
      await verify();
      become('hang');
      const before = asked();
      const answer = errorOf(verify());
      await expect.poll(asked, { timeout: 5000 }).toBe(before + 1);
      await plugin.close();
      expect((await answer).code).toBe('closed');
      expect((await errorOf(verify())).code).toBe('closed');
    });

    it('writes no password to the log', async () => {
      const { options, become } = await create();
      const { log, lines } = createLogBook();
      const { verify } = verifierOf(parseOptions({ ...options, timeout: TIMEOUTS.hang }), { log });
      await verify('canary-password');
      for (const [behaviour] of faults) {
        become(behaviour);
        const { message, cause } = await errorOf(verify('canary-password'));
        log.warn({ err: cause }, message);
      }
      expect(lines.length).toBeGreaterThan(faults.length);
      expect(lines.join('')).not.toContain('canary-password');
    });
  });
}
