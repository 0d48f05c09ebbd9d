import { createHash } from 'node:crypto';
import { type Clock, FolderReference, Secret } from '../../../../src/core/index.ts';
import type { Outcome } from '../../../../src/proxy/identity/index.ts';
import {
  createOidcVerifier,
  type OidcVerifier,
  oidcVerifierOptions,
  type SignedIn,
} from '../../../../src/proxy/identity/oidc/index.ts';
import { createStateStore, type StateStore } from '../../../../src/state/index.ts';
import { createLogger } from '../../../../src/telemetry/index.ts';
import {
  CLIENT_ID,
  CLIENT_SECRET,
  type OidcProvider,
  startOidcProvider,
} from '../../../servers/oidc-provider.ts';
import { createTemporaryFolder } from '../../../support/temporary-folder.ts';
import { createWebClient, signInAtProvider } from '../../../support/web-client.ts';

export const REDIRECT_URI = 'http://127.0.0.1:9/login/callback';
export const HOUR_MS = 3_600_000;
export const MINUTE_MS = 60_000;

/** A verifier with a real provider, a real store, and a clock that is set by hand. */
export interface OidcSite {
  readonly provider: OidcProvider;
  readonly verifier: OidcVerifier;
  readonly state: StateStore;
  /** Of the store. */
  readonly folder: string;
  /** Another verifier over the same store, as another process has it. */
  another(input?: Readonly<Record<string, unknown>>, keyNames?: readonly string[]): OidcVerifier;
  advance(milliseconds: number): void;
  signIn(subject: string, verifier?: OidcVerifier): Promise<SignedIn>;
  /** @returns a new token of somebody who signs in first */
  tokenOf(subject: string, verifier?: OidcVerifier): Promise<{ token: string; id: string; personId: string }>;
  verify(username: string, password: string, verifier?: OidcVerifier): Promise<Outcome>;
  logged(): string;
  close(): Promise<void>;
}

export async function createOidcSite(input: Readonly<Record<string, unknown>> = {}): Promise<OidcSite> {
  const provider = await startOidcProvider({
    'sub-anna': { name: 'anna', groups: ['platform', 'staff'] },
    'sub-ben': { name: 'ben', groups: ['staff'] },
  });
  provider.register(REDIRECT_URI);
  const folder = await createTemporaryFolder('oidc');
  // The provider's tokens have real times; this clock runs ahead of them only.
  let ahead = 0;
  const clock: Clock = { now: () => Date.now() + ahead, sleep: () => Promise.reject(new Error('no sleep')) };
  const state = createStateStore(
    { type: 'embedded', directory: new FolderReference(folder.path) },
    { clock },
  );
  const lines: string[] = [];
  const log = createLogger('debug', { write: (line) => void lines.push(line) });
  const made: OidcVerifier[] = [];

  function another(
    more: Readonly<Record<string, unknown>> = {},
    keyNames: readonly string[] = ['first'],
  ): OidcVerifier {
    const options = oidcVerifierOptions.parse({
      name: 'staff',
      type: 'oidc',
      issuer: provider.issuer,
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      authorizationParameters: { prompt: 'consent' },
      ...input,
      ...more,
    });
    const secretKeys = (purpose: string) =>
      keyNames.map((name) => createHash('sha256').update(`${name}${purpose}`).digest());
    const verifier = createOidcVerifier(options, { state, clock, log, secretKeys });
    made.push(verifier);
    return verifier;
  }

  const verifier = another();

  async function signIn(subject: string, by: OidcVerifier = verifier): Promise<SignedIn> {
    const { url, checks } = await by.signIn.begin(REDIRECT_URI);
    const callback = await signInAtProvider(createWebClient(), url, subject, ({ href }) =>
      href.startsWith(REDIRECT_URI),
    );
    return by.signIn.complete(callback, checks);
  }

  return {
    provider,
    verifier,
    state,
    folder: folder.path,
    another,
    advance: (milliseconds) => {
      ahead += milliseconds;
    },
    signIn,
    async tokenOf(subject, by = verifier) {
      const signedIn = await signIn(subject, by);
      if (signedIn.type !== 'signed-in') throw new Error(signedIn.reason, { cause: signedIn.cause });
      const { personId } = signedIn;
      const created = await by.signIn.tokens.create(personId, {
        name: 'laptop',
        lifetimeMs: 30 * 24 * HOUR_MS,
      });
      if (created.type !== 'created') throw new Error(created.type);
      return { token: created.token.reveal(), id: created.summary.id, personId };
    },
    verify: (username, password, by = verifier) =>
      by.verify({ username, password: new Secret(password) }, new AbortController().signal),
    logged: () => lines.join(''),
    async close() {
      for (const one of made) await one.close();
      await state.close();
      await provider.close();
      await folder.close();
    },
  };
}
