import { html } from '../html.ts';
import { formTokenField, type Page } from '../page.ts';
import { minute } from './times.ts';

interface Common {
  readonly name: string;
  readonly formToken: string;
}

/** Where somebody types the code that their terminal shows. */
export function deviceCodePage(
  view: Common & { readonly userCode: string; readonly problem?: string },
): Page {
  const { name, formToken, userCode, problem } = view;
  const described = problem === undefined ? 'code-hint' : 'code-problem code-hint';
  return {
    title: 'Log in a terminal',
    narrow: true,
    signedIn: { name, formToken },
    main: html`<h1>Log in a terminal</h1>
<form class="card" method="post" action="/device">${formTokenField(formToken)}
${problem !== undefined && html`<p class="note bad" role="alert" id="code-problem">${problem}</p>`}
<p><label for="code">Code</label>
<input class="code-field" id="code" name="user_code" required maxlength="12" autocomplete="off" autocapitalize="characters" spellcheck="false" value="${userCode}" aria-describedby="${described}"${problem !== undefined && html` aria-invalid="true"`}>
<span class="hint" id="code-hint">As your terminal shows it, such as BCDF-GHJK.</span></p>
<button class="wide">Continue</button></form>`,
  };
}

/** Where somebody lets a terminal in, or not. */
export function deviceConfirmPage(
  view: Common & {
    readonly userCode: string;
    readonly label: string;
    readonly client: string;
    readonly created: number;
  },
): Page {
  const { name, formToken, userCode, label, client, created } = view;
  return {
    title: 'Let this terminal in?',
    narrow: true,
    signedIn: { name, formToken },
    main: html`<h1>Let this terminal in?</h1>
<form class="card" method="post" action="/device/confirm">${formTokenField(formToken)}<input type="hidden" name="user_code" value="${userCode}">
<dl><dt>Code</dt><dd><code>${userCode}</code></dd><dt>Calls itself</dt><dd>${label}</dd><dt>Asks from</dt><dd>${client}</dd><dt>Asked at</dt><dd>${minute(created)}</dd></dl>
<p class="note bad">It gets a token that stands for you, ${name}. Go on only if you have just started <code>drp login</code> yourself and it shows this code.</p>
<div class="choices"><button name="decision" value="approve">Let it in</button><button class="quiet" name="decision" value="deny">Deny</button></div></form>`,
  };
}

/** What came of it. */
export function deviceDonePage(view: Common & { readonly approved: boolean }): Page {
  const { name, formToken, approved } = view;
  const title = approved ? 'The terminal is logged in' : 'The terminal was turned away';
  return {
    title,
    narrow: true,
    signedIn: { name, formToken },
    main: html`<h1>${title}</h1>
<p role="status">${approved ? 'You can close this page and go back to your terminal. Its token is among yours.' : 'It gets no token. You can close this page.'}</p>
<p><a href="/account">To your tokens</a></p>`,
  };
}
