import type { Logger } from '../../telemetry/index.ts';
import { MAXIMUM_TOKEN_NAME_LENGTH, MAXIMUM_TOKENS } from '../identity/index.ts';
import { clearCookie } from './cookies.ts';
import { pageAnswer, redirect } from './page.ts';
import { type AccountView, accountPage } from './pages/account-page.ts';
import { newTokenPage } from './pages/new-token-page.ts';
import type { SignedInHandler, Visitor } from './visitor.ts';
import type { WebAnswer, WebRequest } from './web-request.ts';

const DAY_MS = 86_400_000;
const LIFETIMES_DAYS = [1, 7, 30, 60, 90, 180, 365];

/** `/account`: somebody's tokens, making and revoking them, and signing out. */
export function createAccountHandlers({ log }: { readonly log: Logger }) {
  async function view(visitor: Visitor, more: Partial<AccountView> = {}): Promise<AccountView> {
    const { signIn, session, person } = visitor;
    return {
      name: person.name,
      formToken: session.formToken,
      tokens: await signIn.tokens.list(session.personId),
      lifetimes: lifetimesUpTo(signIn.longestLifetimeMs),
      ...more,
    };
  }

  const show: SignedInHandler = async (request, visitor) => {
    const notice = request.query.has('revoked')
      ? 'The token is revoked. It is refused from now on.'
      : undefined;
    return pageAnswer(request, 200, accountPage(await view(visitor, { notice })));
  };

  async function refuse(
    request: WebRequest,
    visitor: Visitor,
    name: string,
    text: string,
  ): Promise<WebAnswer> {
    return pageAnswer(request, 422, accountPage(await view(visitor, { problem: { text, name } })));
  }

  const create: SignedInHandler = async (request, visitor) => {
    const { signIn, session, person } = visitor;
    const name = (request.form?.get('name') ?? '').trim();
    const days = Number(request.form?.get('days'));
    if (!isTokenName(name)) {
      return refuse(
        request,
        visitor,
        '',
        `Give the token a name of 1 to ${MAXIMUM_TOKEN_NAME_LENGTH} characters.`,
      );
    }
    if (!lifetimesUpTo(signIn.longestLifetimeMs).includes(days)) {
      return refuse(request, visitor, name, 'Choose how long the token is to be good.');
    }
    const lifetimeMs = Math.min(days * DAY_MS, signIn.longestLifetimeMs);
    const created = await signIn.tokens.create(session.personId, { name, lifetimeMs });
    if (created.type === 'no-such-person') return redirect('/login', [clearCookie(request, 'drp-session')]);
    if (created.type === 'too-many') {
      return refuse(
        request,
        visitor,
        name,
        `You have ${MAXIMUM_TOKENS} tokens, which is the most. Revoke one first.`,
      );
    }
    const { token, summary } = created;
    log.info(
      { verifier: signIn.verifier, name: person.name, token: summary.id },
      'a personal access token was made',
    );
    const page = newTokenPage({
      name: person.name,
      formToken: session.formToken,
      tokenName: name,
      token: token.reveal(),
      expires: summary.expires,
      host: request.publicUrl.slice(request.publicUrl.indexOf('://') + 3),
    });
    return pageAnswer(request, 200, page);
  };

  const revoke: SignedInHandler = async (request, { signIn, session, person }) => {
    const id = request.form?.get('id') ?? '';
    const revoked = await signIn.tokens.revoke(session.personId, id);
    if (revoked) {
      log.info(
        { verifier: signIn.verifier, name: person.name, token: id },
        'a personal access token was revoked',
      );
    }
    return redirect('/account?revoked');
  };

  const signOut: SignedInHandler = async (request) =>
    redirect('/login?signed-out', [clearCookie(request, 'drp-session')]);

  return { show, create, revoke, signOut };
}

/** At least one, for a configuration with hours. */
function lifetimesUpTo(longestMs: number): readonly number[] {
  const possible = LIFETIMES_DAYS.filter((days) => days * DAY_MS <= longestMs);
  return possible.length > 0 ? possible : [1];
}

export function isTokenName(name: string): boolean {
  return name !== '' && name.length <= MAXIMUM_TOKEN_NAME_LENGTH && !/\p{Cc}/u.test(name);
}
