import { html } from '../html.ts';
import type { Page } from '../page.ts';
import { day } from './times.ts';

/** The one time that a token is shown. */
export function newTokenPage(view: {
  readonly name: string;
  readonly formToken: string;
  readonly tokenName: string;
  readonly token: string;
  readonly expires: number;
  readonly host: string;
}): Page {
  const { name, formToken, tokenName, token, expires, host } = view;
  return {
    title: 'Your new token',
    signedIn: { name, formToken },
    main: html`<h1>Your new token</h1>
<p class="note good" role="status">“${tokenName}” is made. It is shown this once: copy it now.</p>
<section class="card" aria-labelledby="token"><h2 id="token">Token</h2>
<pre><code>${token}</code></pre>
<p class="soft">Good until ${day(expires)}. Whoever has it can do what you can; keep it like a password.</p></section>
<section class="card" aria-labelledby="use"><h2 id="use">Log in to docker</h2>
<p>Run this, paste the token, and press Enter, then Ctrl-D:</p>
<pre><code>docker login ${host} -u ${shellWord(name)} --password-stdin</code></pre></section>
<p><a href="/account">Back to your tokens</a></p>`,
  };
}

/** A word as a POSIX shell reads it. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9._@%+=/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
