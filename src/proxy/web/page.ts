import { Html, html } from './html.ts';
import { CONTENT_SECURITY_POLICY, STYLE } from './style.ts';
import { isSecure, type WebAnswer, type WebRequest } from './web-request.ts';

/** What goes into the frame that all pages have. */
export interface Page {
  readonly title: string;
  readonly main: Html;
  /** For pages with little on them. */
  readonly narrow?: boolean;
  /** Who is signed in: shown with a button to sign out. */
  readonly signedIn?: { readonly name: string; readonly formToken: string } | undefined;
}

const HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  // Not no-referrer: with that, a browser does not say where a form was sent from.
  'Referrer-Policy': 'same-origin',
  'Cache-Control': 'no-store',
  'X-Frame-Options': 'DENY',
};

/** Browsers take no notice of it over http. */
const SECURE_HEADERS = { 'Cross-Origin-Opener-Policy': 'same-origin' };

const MARK = html`<svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round"><path d="M12 2 3 7v10l9 5 9-5V7z"/><path d="m3 7 9 5 9-5M12 12v10"/></svg>`;

/** A page as an answer, in the frame and with the headers that all have. */
export function pageAnswer(
  request: WebRequest,
  status: number,
  { title, main, narrow = false, signedIn }: Page,
  headers: WebAnswer['headers'] = {},
): WebAnswer {
  const host = request.publicUrl.slice(request.publicUrl.indexOf('://') + 3);
  const { markup } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} – ${host}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header><div class="bar">${MARK}<strong>${host}</strong>${signedIn && signOutForm(signedIn)}</div></header>
<main id="main" class="${narrow ? 'narrow' : 'full'}">
${main}
</main>
</body>
</html>
`;
  return {
    status,
    headers: { ...HEADERS, ...(isSecure(request) && SECURE_HEADERS), ...headers },
    body: markup,
  };
}

export function formTokenField(formToken: string): Html {
  return html`<input type="hidden" name="form-token" value="${formToken}">`;
}

/** @param path a path of this host that no client has chosen, or that {@link localPath} has let through */
export function redirect(path: string, cookies: readonly string[] = []): WebAnswer {
  const headers = { Location: path, 'Cache-Control': 'no-store', 'Referrer-Policy': 'same-origin' };
  return {
    status: 303,
    headers: { ...headers, ...(cookies.length > 0 && { 'Set-Cookie': [...cookies] }) },
    body: '',
  };
}

/** A page that says one thing, and where to go on. */
export function messagePage(
  request: WebRequest,
  status: number,
  message: {
    readonly title: string;
    readonly text: string;
    readonly link?: { readonly href: string; readonly text: string };
  },
  headers: WebAnswer['headers'] = {},
): WebAnswer {
  const { title, text, link = { href: '/login', text: 'To the sign-in page' } } = message;
  const main = html`<h1>${title}</h1>
<p>${text}</p>
<p><a class="button" href="${link.href}">${link.text}</a></p>`;
  return pageAnswer(request, status, { title, main, narrow: true }, headers);
}

function signOutForm({ name, formToken }: { readonly name: string; readonly formToken: string }): Html {
  return html`<form method="post" action="/logout">${formTokenField(formToken)}<span>Signed in as <strong>${name}</strong></span>
<button class="quiet small">Sign out</button></form>`;
}
