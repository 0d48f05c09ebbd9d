import { createHash } from 'node:crypto';

/** The one style sheet; it stands in every page, and the policy names its hash. */
export const STYLE = `
:root { color-scheme: light dark; --ground: #f4f6f8; --card: #fff; --ink: #16202a; --soft: #51606f; --line: #d5dce3;
  --accent: #0b5cad; --accent-ink: #fff; --accent-strong: #084a8c; --danger: #b3261e; --danger-ground: #fdecea;
  --good: #17663a; --good-ground: #e6f4eb; --code: #eef2f6; --ring: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --ground: #10161c; --card: #19222b; --ink: #e8edf2; --soft: #a3b1bf;
  --line: #34424f; --accent: #6fb3f5; --accent-ink: #08233f; --accent-strong: #9accff; --danger: #ff8a80;
  --danger-ground: #3b1d1c; --good: #7ddba2; --good-ground: #16301f; --code: #10161c; --ring: #9accff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--ring); outline-offset: 2px; border-radius: 4px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--card); padding: .5rem 1rem; }
header { background: var(--card); border-bottom: 1px solid var(--line); }
.bar { max-width: 46rem; margin: 0 auto; padding: .75rem 1rem; display: flex; gap: .75rem; align-items: center;
  flex-wrap: wrap; }
.bar svg { width: 1.75rem; height: 1.75rem; flex: none; color: var(--accent); }
.bar strong { margin-right: auto; overflow-wrap: anywhere; }
.bar form { display: flex; gap: .75rem; align-items: center; }
main { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
main.narrow { max-width: 27rem; padding-top: 3.5rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 0 0 .75rem; }
p { margin: 0 0 1rem; }
.soft { color: var(--soft); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.25rem; margin: 1.25rem 0; }
.card > :last-child { margin-bottom: 0; }
.note { border-radius: 8px; padding: .75rem 1rem; margin: 0 0 1rem; }
.note.good { background: var(--good-ground); color: var(--good); }
.note.bad { background: var(--danger-ground); color: var(--danger); }
label { display: block; font-weight: 600; margin: 0 0 .25rem; }
.hint { display: block; color: var(--soft); font-size: .9rem; margin: .25rem 0 0; }
input, select { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--soft); border-radius: 6px;
  padding: .5rem .65rem; width: 100%; min-height: 2.75rem; }
input[aria-invalid] { border-color: var(--danger); border-width: 2px; }
.fields { display: grid; grid-template-columns: 2fr 1fr; gap: 1rem; align-items: start; margin-bottom: 1rem; }
.code-field { font: 1.4rem/1.4 ui-monospace, monospace; letter-spacing: .12em; text-transform: uppercase; }
button, .button { font: inherit; font-weight: 600; display: inline-block; cursor: pointer; border-radius: 6px; padding: .5rem 1.1rem;
  min-height: 2.75rem; border: 1px solid var(--accent); background: var(--accent); color: var(--accent-ink);
  text-decoration: none; text-align: center; }
button:hover, .button:hover { background: var(--accent-strong); border-color: var(--accent-strong); }
button.quiet { background: transparent; color: var(--ink); border-color: var(--soft); }
button.quiet:hover { border-color: var(--ink); }
button.danger { background: transparent; color: var(--danger); border-color: var(--danger); }
button.danger:hover { background: var(--danger-ground); }
button.small { min-height: 2.25rem; padding: .25rem .8rem; }
.wide { display: block; width: 100%; margin: 0 0 .75rem; }
.choices { display: flex; gap: .75rem; flex-wrap: wrap; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; padding: .6rem .75rem .6rem 0; border-top: 1px solid var(--line); vertical-align: middle; }
thead th { border-top: 0; color: var(--soft); font-size: .85rem; font-weight: 600; }
th[scope=row] { overflow-wrap: anywhere; }
td:last-child, thead th:last-child { text-align: right; padding-right: 0; }
td form { display: inline; }
code { font-family: ui-monospace, monospace; font-size: .92em; }
pre { background: var(--code); border: 1px solid var(--line); border-radius: 6px; padding: .75rem; margin: 0 0 1rem;
  white-space: pre-wrap; overflow-wrap: anywhere; user-select: all; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .35rem 1rem; margin: 0 0 1rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 40rem) { .fields { grid-template-columns: 1fr; } thead { display: none; }
  tr { display: block; border-top: 1px solid var(--line); padding: .6rem 0; } th, td { display: block; border: 0; padding: .1rem 0; }
  td:last-child { text-align: left; } td[data-label]::before { content: attr(data-label) ': '; color: var(--soft); } }
@media (prefers-contrast: more) { :root { --soft: var(--ink); --line: var(--ink); } }
`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** Nothing is loaded, nothing runs, and forms lead back here only. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${STYLE_HASH}'`,
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');
