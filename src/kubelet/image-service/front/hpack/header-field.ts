/** One header as it came: names and values are bytes, and nothing is said about what they may hold. */
export interface HeaderField {
  readonly name: Buffer;
  readonly value: Buffer;
  /** Whether the sender forbids to put it into any compression table. */
  readonly neverIndexed: boolean;
}

/** What every entry counts beyond its bytes. @see RFC 7541, section 4.1 */
const ENTRY_OVERHEAD_BYTES = 32;

/** @see RFC 7541, section 4.1; and RFC 9113, section 6.5.2, SETTINGS_MAX_HEADER_LIST_SIZE */
export function fieldSizeBytes({ name, value }: Pick<HeaderField, 'name' | 'value'>): number {
  return name.length + value.length + ENTRY_OVERHEAD_BYTES;
}
