import type { Person, SignIn } from '../identity/index.ts';
import { clearCookie } from './cookies.ts';
import { messagePage, redirect } from './page.ts';
import type { Session, Sessions } from './sessions.ts';
import type { WebAnswer, WebRequest } from './web-request.ts';

/** Somebody who is signed in, and whom the provider still knows as far as we have heard. */
export interface Visitor {
  readonly session: Session;
  readonly signIn: SignIn;
  readonly person: Person;
}

export type Handler = (request: WebRequest) => Promise<WebAnswer>;
export type SignedInHandler = (request: WebRequest, visitor: Visitor) => Promise<WebAnswer>;

/** Makes pages that only somebody who is signed in may see, and forms that only such a page may send. */
export function createGate(sessions: Sessions, signIns: readonly SignIn[]) {
  async function findVisitor(request: WebRequest): Promise<Visitor | undefined> {
    const session = sessions.read(request);
    const signIn = session && signIns.find(({ verifier }) => verifier === session.verifier);
    const person = signIn && (await signIn.find(session.personId));
    return person && { session, signIn, person };
  }

  return {
    page:
      (handle: SignedInHandler): Handler =>
      async (request) => {
        const visitor = await findVisitor(request);
        if (visitor) return handle(request, visitor);
        const query = request.query.size > 0 ? `?${request.query}` : '';
        const to = new URLSearchParams({ to: `${request.path}${query}` });
        return redirect(`/login?${to}`, [clearCookie(request, 'drp-session')]);
      },
    form:
      (handle: SignedInHandler): Handler =>
      async (request) => {
        const visitor = await findVisitor(request);
        if (!visitor) return redirect('/login', [clearCookie(request, 'drp-session')]);
        if (sessions.isOwnForm(request, visitor.session)) return handle(request, visitor);
        const title = 'This form does not count';
        const text = 'It was not sent from a page of this sign-in. Nothing was changed; open the page again.';
        return messagePage(request, 403, { title, text, link: { href: '/account', text: 'To your tokens' } });
      },
  };
}
