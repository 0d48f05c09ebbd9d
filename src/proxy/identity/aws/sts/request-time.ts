/** Reads `20260102T030405Z`. @returns milliseconds since the epoch; undefined for a day or time that does not exist */
export function parseAmazonDate(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!match) return undefined;
  const iso = text.replace(/^(.{4})(..)(.{5})(..)(..)Z$/, '$1-$2-$3:$4:$5Z');
  const time = Date.parse(iso);
  const isReal = Number.isFinite(time) && new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, '') === text;
  return isReal ? time : undefined;
}
