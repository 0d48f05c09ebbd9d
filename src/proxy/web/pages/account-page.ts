import { MAXIMUM_TOKEN_NAME_LENGTH, type TokenSummary } from '../../identity/index.ts';
import { type Html, html } from '../html.ts';
import { formTokenField, type Page } from '../page.ts';
import { day, minute } from './times.ts';

/** What the account page shows. */
export interface AccountView {
  readonly name: string;
  readonly formToken: string;
  readonly tokens: readonly TokenSummary[];
  /** How many days a new token may be good. */
  readonly lifetimes: readonly number[];
  readonly notice?: string | undefined;
  /** What was wrong with the form that was sent, and what was in it. */
  readonly problem?: { readonly text: string; readonly name: string } | undefined;
}

/** Somebody's tokens, and a form to make another. */
export function accountPage(view: AccountView): Page {
  const { name, formToken, tokens, notice } = view;
  return {
    title: 'Personal access tokens',
    signedIn: { name, formToken },
    main: html`${notice !== undefined && html`<p class="note good" role="status">${notice}</p>`}<h1>Personal access tokens</h1>
<p class="soft">A token stands for you where docker asks for a password. Make one for each machine.</p>
<section class="card" aria-labelledby="new"><h2 id="new">New token</h2>
${newTokenForm(view)}</section>
<section class="card" aria-labelledby="yours"><h2 id="yours">Your tokens</h2>
${tokens.length === 0 ? html`<p class="soft">You have none yet.</p>` : tokenTable(tokens, formToken)}</section>`,
  };
}

function newTokenForm({ formToken, lifetimes, problem }: AccountView): Html {
  const usual = lifetimes.includes(30) ? 30 : lifetimes.at(-1);
  const options = lifetimes.map(
    (days) =>
      html`<option value="${days}"${days === usual && html` selected`}>${days === 1 ? '1 day' : `${days} days`}</option>`,
  );
  const described = problem ? 'name-problem name-hint' : 'name-hint';
  return html`<form method="post" action="/account/tokens">${formTokenField(formToken)}
${problem && html`<p class="note bad" role="alert" id="name-problem">${problem.text}</p>`}
<div class="fields"><div><label for="name">Name</label>
<input id="name" name="name" required maxlength="${MAXIMUM_TOKEN_NAME_LENGTH}" autocomplete="off" value="${problem?.name}" aria-describedby="${described}"${problem && html` aria-invalid="true"`}>
<span class="hint" id="name-hint">What you will know it by, such as “laptop”.</span></div>
<div><label for="days">Good for</label><select id="days" name="days">${options}</select></div></div>
<button>Make token</button></form>`;
}

function tokenTable(tokens: readonly TokenSummary[], formToken: string): Html {
  const rows = tokens.map(
    ({ id, name, created, expires, lastUsed }) => html`<tr><th scope="row">${name}</th>
<td data-label="Made">${day(created)}</td>
<td data-label="Ends">${day(expires)}</td>
<td data-label="Last used">${lastUsed === undefined ? 'never' : minute(lastUsed)}</td>
<td><form method="post" action="/account/tokens/revoke">${formTokenField(formToken)}<input type="hidden" name="id" value="${id}">
<button class="danger small">Revoke<span class="hidden"> the token ${name}</span></button></form></td></tr>
`,
  );
  return html`<table><thead><tr><th scope="col">Name</th><th scope="col">Made</th><th scope="col">Ends</th><th scope="col">Last used</th><th scope="col"><span class="hidden">Revoke</span></th></tr></thead>
<tbody>${rows}</tbody></table>`;
}
