import { PluginError } from './errors.ts';

/** Stands for words that hold a secret. To strike out just the secret would tell it where the rest can be guessed. */
const LEFT_OUT = '[left out, because the password stands in it]';
const MAXIMUM_LENGTH = 500;
const MAXIMUM_CAUSES = 8;

/** Words of a plugin for the log: one line, not too long, and nothing at all where they hold what it was asked about. */
export function redactText(text: string, secrets: readonly string[]): string {
  if (holdsSecret(text, secrets)) return LEFT_OUT;
  const line = text.replace(/\p{Cc}+/gu, ' ').trim();
  return line.length > MAXIMUM_LENGTH ? `${line.slice(0, MAXIMUM_LENGTH)}…` : line;
}

/** The same, line by line. */
export function redactLines(text: string, secrets: readonly string[]): string[] {
  const broken = secrets.filter((secret) => secret.includes('\n'));
  if (holdsSecret(text, broken)) return [LEFT_OUT];
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => redactText(line, secrets));
}

/** The error without the secrets. A cause that holds one is left out, because the log shows causes. */
export function redactError({ code, message, cause }: PluginError, secrets: readonly string[]): PluginError {
  const shown = textsOf(cause);
  const leaks = shown.length > MAXIMUM_CAUSES || shown.some((text) => holdsSecret(text, secrets));
  return new PluginError(code, redactText(message, secrets), leaks || cause === undefined ? {} : { cause });
}

function holdsSecret(text: string, secrets: readonly string[]): boolean {
  return secrets.some((secret) => secret !== '' && text.includes(secret));
}

/** What the log shows of an error and its causes; one text each. */
function textsOf(cause: unknown): string[] {
  const texts: string[] = [];
  for (let next = cause; next !== undefined && texts.length <= MAXIMUM_CAUSES; ) {
    if (!(next instanceof Error)) return [...texts, String(next)];
    const { code } = next as { readonly code?: unknown };
    texts.push([next.name, code, next.message, next.stack].map(String).join('\n'));
    next = next.cause;
  }
  return texts;
}
