import type { X509Certificate } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/core/index.ts';
import type { Identity, Outcome, Verifier } from '../../../src/proxy/identity/index.ts';

interface Examined {
  readonly verifier: Verifier;
  /** The name that the identity then has. */
  readonly identityName: string;
  /** Ends what the fixture started beside the verifier. */
  close?(): Promise<void>;
}

/** A verifier of passwords and tokens to examine, with what its source knows. */
export interface VerifierFixture extends Examined {
  /** A credential that is right. */
  readonly username: string;
  readonly password: string;
  /** A user name that the source does not know; undefined where user names play no part. */
  readonly unknownUsername: string | undefined;
}

/** A verifier of client certificates to examine. */
export interface CertificateVerifierFixture extends Examined {
  /** One that is right. */
  readonly certificate: X509Certificate;
  /** Some that are not, by what is wrong with them. */
  readonly wrongCertificates: Readonly<Record<string, X509Certificate>>;
}

/** What is at hand within a suite. */
interface Examination<F extends Examined> {
  /** The fixture of the test that runs. */
  readonly fixture: () => F;
  /** @throws when what is right is not taken */
  goodIdentity(): Promise<{ identity: Identity; anchor: string | undefined }>;
}

/** What every verifier has to do, whatever it is shown. @param show shows it what is right */
function describeEvery<F extends Examined>(
  title: string,
  setUp: () => Promise<F>,
  show: (fixture: F, signal: AbortSignal) => Promise<Outcome>,
  describeMore: (examination: Examination<F>) => void,
): void {
  describe(`${title}, as a verifier`, () => {
    let fixture: F;

    beforeEach(async () => {
      fixture = await setUp();
    });
    afterEach(async () => {
      await fixture.verifier.close();
      await fixture.close?.();
    });

    async function goodIdentity(): Promise<{ identity: Identity; anchor: string | undefined }> {
      const outcome = await show(fixture, new AbortController().signal);
      if (outcome.type !== 'identity') throw new Error(`${outcome.type}: ${outcome.reason}`);
      return { identity: outcome.identity, anchor: outcome.anchor };
    }

    it('knows what is right', async () => {
      const { identity } = await goodIdentity();
      expect(identity.verifier).toBe(fixture.verifier.name);
      expect(identity.name).toBe(fixture.identityName);
    });

    it('answers with an identity of JSON values only', async () => {
      const { identity } = await goodIdentity();
      expect(JSON.parse(JSON.stringify(identity))).toStrictEqual(identity);
      expect(Object.keys(identity).sort()).toEqual(['claims', 'groups', 'name', 'verifier']);
    });

    it('cannot tell when it is aborted, before or meanwhile', async () => {
      expect(await show(fixture, AbortSignal.abort())).toMatchObject({ type: 'cannot-tell' });
      const controller = new AbortController();
      const outcome = show(fixture, controller.signal);
      controller.abort();
      expect(await outcome).toMatchObject({ type: 'cannot-tell' });
    });

    it('cannot tell after it was closed; closing twice is fine', async () => {
      const { identity, anchor } = await goodIdentity();
      await fixture.verifier.close();
      await fixture.verifier.close();
      const { signal } = new AbortController();
      expect(await show(fixture, signal)).toMatchObject({ type: 'cannot-tell' });
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

    describeMore({ fixture: () => fixture, goodIdentity });
  });
}

/** What every verifier of user names and passwords has to do, whatever it asks; a token is a password here. */
export function describeVerifier(title: string, setUp: () => Promise<VerifierFixture>): void {
  const show = ({ verifier, username, password }: VerifierFixture, signal: AbortSignal) =>
    verifier.verify({ username, password: new Secret(password) }, signal);

  describeEvery(title, setUp, show, ({ fixture, goodIdentity }) => {
    function verify(username: string, password: string): Promise<Outcome> {
      return show({ ...fixture(), username, password }, new AbortController().signal);
    }

    it('says nothing of the credential in its answers', async () => {
      for (const password of [fixture().password, `${fixture().password}-canary`]) {
        expect(JSON.stringify(await verify(fixture().username, password))).not.toContain(password);
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
      expect(await verify(fixture().username, change(fixture().password))).toMatchObject({ type: 'refused' });
    });

    it.each(['', ' ', '\0', 'x'.repeat(100_000), '*', '__proto__', 'constructor', '../x', 'a\r\nb'])(
      'refuses the user name %j where it knows none such',
      async (username) => {
        if (fixture().unknownUsername === undefined) return;
        expect(await verify(username, fixture().password)).toMatchObject({ type: 'refused' });
      },
    );

    it('refuses a user it does not know', async () => {
      const { unknownUsername, password } = fixture();
      if (unknownUsername === undefined) return;
      expect(await verify(unknownUsername, password)).toMatchObject({ type: 'refused' });
    });

    it('takes no other password for one that was right before', async () => {
      await goodIdentity();
      expect(await verify(fixture().username, `${fixture().password}x`)).toMatchObject({ type: 'refused' });
      const { unknownUsername, password } = fixture();
      if (unknownUsername === undefined) return;
      expect(await verify(unknownUsername, password)).toMatchObject({ type: 'refused' });
    });

    it('has no word on certificates', async () => {
      expect(fixture().verifier.verifyCertificate).toBeUndefined();
    });
  });
}

/** What every verifier of client certificates has to do. */
export function describeCertificateVerifier(
  title: string,
  setUp: () => Promise<CertificateVerifierFixture>,
): void {
  const show = (
    { verifier, certificate }: Pick<CertificateVerifierFixture, 'verifier' | 'certificate'>,
    signal: AbortSignal,
  ): Promise<Outcome> => {
    if (!verifier.verifyCertificate) throw new Error('the verifier takes no certificates');
    return verifier.verifyCertificate(certificate, signal);
  };

  describeEvery(title, setUp, show, ({ fixture, goodIdentity }) => {
    const { signal } = new AbortController();

    it('refuses certificates that are not right, also after one that was', async () => {
      const { verifier, wrongCertificates } = fixture();
      expect(Object.keys(wrongCertificates).length).toBeGreaterThan(0);
      for (let round = 0; round < 2; round += 1) {
        for (const [wrong, certificate] of Object.entries(wrongCertificates)) {
          expect(await show({ verifier, certificate }, signal), wrong).toMatchObject({ type: 'refused' });
        }
        await goodIdentity();
      }
    });

    it.each(['', 'x', '\0', 'x'.repeat(100_000), '*)(uid=*'])(
      'refuses the password %j, whatever the user name',
      async (password) => {
        const { verifier, identityName } = fixture();
        for (const username of [identityName, '', '*', '__proto__', 'a\r\nb', 'x'.repeat(100_000)]) {
          const credential = { username, password: new Secret(password) };
          expect(await verifier.verify(credential, signal)).toMatchObject({ type: 'refused' });
        }
      },
    );

    it('refuses the certificate as a password', async () => {
      const { verifier, identityName, certificate } = fixture();
      for (const password of [certificate.toString(), certificate.raw.toString('base64')]) {
        const credential = { username: identityName, password: new Secret(password) };
        expect(await verifier.verify(credential, signal)).toMatchObject({ type: 'refused' });
      }
    });

    it('claims no password and no token for itself', () => {
      const { verifier } = fixture();
      expect([verifier.issuer, verifier.issued]).toEqual([undefined, undefined]);
    });
  });
}
