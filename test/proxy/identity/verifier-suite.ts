import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/core/index.ts';
import type { Identity, Outcome, Verifier } from '../../../src/proxy/identity/index.ts';

/** A verifier to examine, with what its source knows. */
export interface VerifierFixture {
  readonly verifier: Verifier;
  /** A credential that is right. */
  readonly username: string;
  readonly password: string;
  /** The name that the identity then has. */
  readonly identityName: string;
  /** A user name that the source does not know; undefined where user names play no part. */
  readonly unknownUsername: string | undefined;
  /** Ends what the fixture started beside the verifier. */
  close?(): Promise<void>;
}

/** What every verifier has to do, whatever it asks. */
export function describeVerifier(title: string, setUp: () => Promise<VerifierFixture>): void {
  describe(`${title}, as a verifier`, () => {
    let fixture: VerifierFixture;

    beforeEach(async () => {
      fixture = await setUp();
    });
    afterEach(async () => {
      await fixture.verifier.close();
      await fixture.close?.();
    });

    function verify(username: string, password: string, signal?: AbortSignal): Promise<Outcome> {
      const credential = { username, password: new Secret(password) };
      return fixture.verifier.verify(credential, signal ?? new AbortController().signal);
    }

    async function goodIdentity(): Promise<{ identity: Identity; anchor: string | undefined }> {
      const outcome = await verify(fixture.username, fixture.password);
      if (outcome.type !== 'identity') throw new Error(`${outcome.type}: ${outcome.reason}`);
      return { identity: outcome.identity, anchor: outcome.anchor };
    }

    it('knows the right credential', async () => {
      const { identity } = await goodIdentity();
      expect(identity.verifier).toBe(fixture.verifier.name);
      expect(identity.name).toBe(fixture.identityName);
    });

    it('answers with an identity of JSON values only', async () => {
      const { identity } = await goodIdentity();
      expect(JSON.parse(JSON.stringify(identity))).toStrictEqual(identity);
      expect(Object.keys(identity).sort()).toEqual(['claims', 'groups', 'name', 'verifier']);
    });

    it('says nothing of the credential in its answers', async () => {
      for (const password of [fixture.password, `${fixture.password}-canary`]) {
        expect(JSON.stringify(await verify(fixture.username, password))).not.toContain(password);
      }
    });

    it.each([
      ['a wrong password', (good: string) => `${good}x`],
      ['a password cut short', (good: string) => good.slice(0, -1)],
      ['no password', () => ''],
      ['a NUL behind the password', (good: string) => `${good}\0`],
      ['a NUL and more behind the password', (good: string) => `${good}\0x`],
      ['a NUL alone', () => '\0'],
      ['a very long password', (good: string) => good + 'x'.repeat(100_000)],
      ['a password of odd characters', () => '\uD800\r\n*)(uid=*'],
    ])('refuses %s', async (_, change) => {
      expect(await verify(fixture.username, change(fixture.password))).toMatchObject({ type: 'refused' });
    });

    it.each(['', ' ', '\0', 'x'.repeat(100_000), '*', '__proto__', 'constructor', '../x', 'a\r\nb'])(
      'refuses the user name %j where it knows none such',
      async (username) => {
        if (fixture.unknownUsername === undefined) return;
        expect(await verify(username, fixture.password)).toMatchObject({ type: 'refused' });
      },
    );

    it('refuses a user it does not know', async () => {
      if (fixture.unknownUsername === undefined) return;
      expect(await verify(fixture.unknownUsername, fixture.password)).toMatchObject({ type: 'refused' });
    });

    it('takes no other password for one that was right before', async () => {
      await goodIdentity();
      expect(await verify(fixture.username, `${fixture.password}x`)).toMatchObject({ type: 'refused' });
      if (fixture.unknownUsername === undefined) return;
      expect(await verify(fixture.unknownUsername, fixture.password)).toMatchObject({ type: 'refused' });
    });

    it('cannot tell when it is aborted, before or meanwhile', async () => {
      expect(await verify(fixture.username, fixture.password, AbortSignal.abort())).toMatchObject({
        type: 'cannot-tell',
      });
      const controller = new AbortController();
      const outcome = verify(fixture.username, fixture.password, controller.signal);
      controller.abort();
      expect(await outcome).toMatchObject({ type: 'cannot-tell' });
    });

    it('cannot tell after it was closed; closing twice is fine', async () => {
      const { identity, anchor } = await goodIdentity();
      await fixture.verifier.close();
      await fixture.verifier.close();
      const { signal } = new AbortController();
      expect(await verify(fixture.username, fixture.password)).toMatchObject({ type: 'cannot-tell' });
      expect((await fixture.verifier.renew?.(identity, anchor, signal))?.type ?? 'cannot-tell').toBe(
        'cannot-tell',
      );
    });

    it('renews whom it knows, where it renews at all', async () => {
      if (!fixture.verifier.renew) return;
      const { identity, anchor } = await goodIdentity();
      const { signal } = new AbortController();
      expect(await fixture.verifier.renew(identity, anchor, signal)).toMatchObject({
        type: 'identity',
        identity: { verifier: identity.verifier, name: identity.name },
      });
      const stranger = { ...identity, name: 'nobody-of-this-name' };
      expect(await fixture.verifier.renew(stranger, anchor, signal)).toMatchObject({ type: 'refused' });
      if (anchor === undefined) return;
      for (const wrong of [undefined, '', `${anchor}x`, anchor.slice(1)]) {
        expect(await fixture.verifier.renew(identity, wrong, signal)).toMatchObject({ type: 'refused' });
      }
    });
  });
}
