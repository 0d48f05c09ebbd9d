/** The names that a certificate has besides its subject. */
export interface AlternativeNames {
  readonly dns: readonly string[];
  readonly email: readonly string[];
  readonly uri: readonly string[];
}

const KIND_BY_LABEL: Readonly<Record<string, keyof AlternativeNames>> = {
  DNS: 'dns',
  email: 'email',
  URI: 'uri',
};
const ENTRY = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/y;

/**
 * Reads the text that Node makes of a subject alternative name: entries with a comma between them, values with odd
 * characters as JSON strings, so that no value can pass for two entries.
 * @returns undefined for text of another form
 */
export function parseAlternativeNames(text: string): AlternativeNames | undefined {
  const names = { dns: [] as string[], email: [] as string[], uri: [] as string[] };
  ENTRY.lastIndex = 0;
  let position = 0;
  while (position < text.length) {
    const match = ENTRY.exec(text);
    if (!match) return undefined;
    position = ENTRY.lastIndex;
    const [, label = '', value = ''] = match;
    const kind = Object.hasOwn(KIND_BY_LABEL, label) ? KIND_BY_LABEL[label] : undefined;
    if (kind) names[kind].push(value.startsWith('"') ? String(JSON.parse(value)) : value);
  }
  return names;
}
