/**
 * Where in a module an error was thrown, as ` (line 3, column 7)`. Its message is left out: an error that nothing caught belongs to
 * no question, so that nobody knows which passwords may stand in it.
 * @param address of the module, as a URL
 */
export function placeOf(error: unknown, address: string): string {
  if (!(error instanceof Error)) return '';
  const stack = String(error.stack);
  const [, line, column] = /^:(\d{1,7}):(\d{1,5})\b/.exec(stack.split(address)[1] ?? '') ?? [];
  return line === undefined ? '' : ` (line ${line}, column ${column})`;
}
