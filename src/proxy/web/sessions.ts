import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../core/index.ts';
import type { SealedBox } from '../identity/index.ts';
import { readCookie, setCookie } from './cookies.ts';
import { headerOf, type WebRequest } from './web-request.ts';

/** Somebody who has signed in with this browser. */
export interface Session {
  readonly verifier: string;
  readonly personId: string;
  /** Every form of the session carries it. */
  readonly formToken: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

/** Sessions live in sealed cookies; nothing of them is stored. */
export interface Sessions {
  /** A new session, with new secrets, for somebody who has just signed in. @returns the `Set-Cookie` line */
  start(request: WebRequest, person: Pick<Session, 'verifier' | 'personId'>): string;
  read(request: WebRequest): Session | undefined;
  /** Whether a POST came from a form of this session on a page of this host. */
  isOwnForm(request: WebRequest, session: Session): boolean;
}

const SESSION_MS = 60 * 60_000;
const FORM_TOKEN_BYTES = 24;
const CONTEXT = 'session';

const sessionCookie = z.object({
  verifier: z.string(),
  personId: z.string(),
  formToken: z.string(),
  expires: z.number(),
});

export function createSessions(dependencies: {
  readonly box: SealedBox;
  readonly clock: Clock;
  readonly randomBytes: (size: number) => Buffer;
}): Sessions {
  const { box, clock, randomBytes } = dependencies;
  return {
    start(request, { verifier, personId }) {
      const session: Session = {
        verifier,
        personId,
        formToken: randomBytes(FORM_TOKEN_BYTES).toString('base64url'),
        expires: clock.now() + SESSION_MS,
      };
      return setCookie(request, 'drp-session', box.seal(JSON.stringify(session), CONTEXT), SESSION_MS);
    },
    read(request) {
      const sealed = readCookie(request, 'drp-session');
      const text = sealed && box.open(sealed, CONTEXT);
      const session = text ? sessionCookie.safeParse(JSON.parse(text)).data : undefined;
      return session && session.expires > clock.now() ? session : undefined;
    },
    isOwnForm(request, session) {
      const shown = Buffer.from(request.form?.get('form-token') ?? '');
      const expected = Buffer.from(session.formToken);
      return isFromHere(request) && shown.length === expected.length && timingSafeEqual(shown, expected);
    },
  };
}

/** What the browser says of the page that the form stood on; old browsers say nothing. */
function isFromHere(request: WebRequest): boolean {
  const site = headerOf(request, 'sec-fetch-site');
  if (site !== undefined && site !== 'same-origin') return false;
  const origin = request.headers.origin;
  return origin === undefined || origin === new URL(request.publicUrl).origin;
}
