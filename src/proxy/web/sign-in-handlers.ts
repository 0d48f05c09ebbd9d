import { z } from 'zod';
import type { Clock } from '../../core/index.ts';
import type { StateStore } from '../../state/index.ts';
import type { Logger } from '../../telemetry/index.ts';
import {
  addressKey,
  type SealedBox,
  type SignedIn,
  type SignIn,
  type SignInAdvice,
} from '../identity/index.ts';
import { clearCookie, readCookie, setCookie } from './cookies.ts';
import { localPath } from './local-path.ts';
import { messagePage, pageAnswer, redirect } from './page.ts';
import { signInPage } from './pages/sign-in-page.ts';
import type { Sessions } from './sessions.ts';
import type { Tally } from './tally.ts';
import type { WebAnswer, WebRequest } from './web-request.ts';

export interface SignInHandlersDependencies {
  readonly signIns: readonly SignIn[];
  readonly sessions: Sessions;
  readonly box: SealedBox;
  readonly state: StateStore;
  /** Sign-ins that came to nothing, by address: each has cost the provider two requests, and the store a record. */
  readonly failures: Tally;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How long somebody may take at the provider. */
const SIGN_IN_MS = 10 * 60_000;
const SPENT_STATES = 'web-sign-ins';
const CONTEXT = 'sign-in';
const HOME = '/account';
const CALLBACK = '/login/callback';

const signInCookie = z.object({
  verifier: z.string(),
  to: z.string(),
  expires: z.number(),
  checks: z.object({ state: z.string(), nonce: z.string(), codeVerifier: z.string() }),
});

const ADVICE: Readonly<Record<SignInAdvice, { status: number; title: string; text: string }>> = {
  'not-allowed': {
    status: 403,
    title: 'You may not sign in here',
    text: 'Your provider knows you, but you are in none of the groups that this registry is for. Ask whoever runs it.',
  },
  'no-refresh-token': {
    status: 403,
    title: 'The provider does not let you stay signed in',
    text: 'It gave no refresh token, so this registry could not see when your rights end. Whoever runs it has to allow offline access.',
  },
  'try-again': {
    status: 403,
    title: 'Signing in did not work',
    text: 'The provider did not confirm who you are. Try again; if it stays like this, tell whoever runs this registry.',
  },
};

/** `/login`, the way to the provider, and the way back. */
export function createSignInHandlers(dependencies: SignInHandlersDependencies) {
  const { signIns, sessions, box, state, failures, clock, log } = dependencies;

  const startAgain = (request: WebRequest, reason: string): WebAnswer => ({
    ...messagePage(
      request,
      400,
      {
        title: 'Start again',
        text: 'This sign-in was begun in another browser, took longer than ten minutes, or was used already.',
      },
      { 'Set-Cookie': [clearCookie(request, 'drp-sign-in')] },
    ),
    login: { outcome: 'refused', verifier: '', name: '', reason },
  });

  async function show(request: WebRequest): Promise<WebAnswer> {
    const to = localPath(request.query.get('to'), HOME);
    const providers = signIns.map(({ verifier, title }) => ({ name: verifier, title }));
    return pageAnswer(
      request,
      200,
      signInPage({ providers, to, signedOut: request.query.has('signed-out') }),
    );
  }

  async function start(request: WebRequest): Promise<WebAnswer> {
    const chosen = signIns.find(({ verifier }) => verifier === request.query.get('provider'));
    if (!chosen) return redirect('/login');
    try {
      const { url, checks } = await chosen.begin(`${request.publicUrl}${CALLBACK}`);
      const to = localPath(request.query.get('to'), HOME);
      const kept = { verifier: chosen.verifier, to, expires: clock.now() + SIGN_IN_MS, checks };
      const cookie = setCookie(request, 'drp-sign-in', box.seal(JSON.stringify(kept), CONTEXT), SIGN_IN_MS);
      return redirect(url.href, [cookie]);
    } catch (error) {
      log.warn(
        { verifier: chosen.verifier, err: error },
        'a sign-in can not begin: the provider is out of reach',
      );
      const title = 'The provider is out of reach';
      const text = `${chosen.title} does not answer. Tokens that you have go on working for a while; try again in a minute.`;
      return messagePage(request, 503, { title, text }, { 'Retry-After': '30' });
    }
  }

  async function comeBack(request: WebRequest): Promise<WebAnswer> {
    const sealed = readCookie(request, 'drp-sign-in');
    const text = sealed && box.open(sealed, CONTEXT);
    const kept = text ? signInCookie.safeParse(JSON.parse(text)).data : undefined;
    if (!kept || kept.expires <= clock.now())
      return startAgain(request, 'no sign-in was begun in this browser');
    if (request.query.get('state') !== kept.checks.state) return startAgain(request, 'the state is another');
    const chosen = signIns.find(({ verifier }) => verifier === kept.verifier);
    if (!chosen) return startAgain(request, 'the verifier is gone');
    const from = addressKey(request.client);
    if (!(await failures.isOpen(from))) {
      const message = { title: 'Too many sign-ins failed', text: 'Try again in ten minutes.' };
      return messagePage(request, 429, message, { 'Retry-After': '600' });
    }
    // The provider takes a code once; this holds whatever the provider does.
    if (!(await state.insert(SPENT_STATES, kept.checks.state, '', clock.now() + SIGN_IN_MS))) {
      return startAgain(request, 'the state was used before');
    }
    const callback = new URL(`${request.publicUrl}${CALLBACK}?${request.query}`);
    const signedIn = await chosen.complete(callback, kept.checks);
    if (signedIn.type === 'refused') await failures.count(from);
    return answerFor(request, chosen, signedIn, kept.to);
  }

  function answerFor(request: WebRequest, { verifier }: SignIn, signedIn: SignedIn, to: string): WebAnswer {
    const forget = clearCookie(request, 'drp-sign-in');
    if (signedIn.type === 'signed-in') {
      const { personId, name } = signedIn;
      const cookies = [forget, sessions.start(request, { verifier, personId })];
      return { ...redirect(to, cookies), login: { outcome: 'allowed', verifier, name } };
    }
    const { reason, advice, cause } = signedIn;
    log.warn({ verifier, reason, err: cause }, 'a sign-in was refused');
    const { status, ...message } = ADVICE[advice];
    const page = messagePage(request, status, message, { 'Set-Cookie': [forget] });
    return { ...page, login: { outcome: 'refused', verifier, name: '', reason } };
  }

  return { show, start, comeBack };
}
