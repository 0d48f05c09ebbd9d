import { type Html, html } from '../html.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A day, in UTC. */
export function day(milliseconds: number): Html {
  const date = new Date(milliseconds);
  const text = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
  return html`<time datetime="${date.toISOString()}">${text}</time>`;
}

/** A minute of a day, in UTC. */
export function minute(milliseconds: number): Html {
  const date = new Date(milliseconds);
  const text = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}, ${date.toISOString().slice(11, 16)} UTC`;
  return html`<time datetime="${date.toISOString()}">${text}</time>`;
}
