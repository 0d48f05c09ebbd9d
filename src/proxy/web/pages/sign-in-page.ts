import { html } from '../html.ts';
import type { Page } from '../page.ts';

/** Where people choose whom they sign in with. */
export function signInPage(view: {
  readonly providers: readonly { readonly name: string; readonly title: string }[];
  /** Where to go on afterwards. */
  readonly to: string;
  readonly signedOut: boolean;
}): Page {
  const links = view.providers.map(({ name, title }) => {
    const href = `/login/start?${new URLSearchParams({ provider: name, to: view.to })}`;
    return html`<a class="button wide" href="${href}">Sign in with ${title}</a>\n`;
  });
  const notice = html`<p class="note good" role="status">You are signed out here. You may still be signed in with your provider.</p>`;
  return {
    title: 'Sign in',
    narrow: true,
    main: html`${view.signedOut && notice}<h1>Sign in</h1>
<p class="soft">Then make a personal access token to show to docker. This registry never sees your password.</p>
<div class="card">${links}</div>`,
  };
}
