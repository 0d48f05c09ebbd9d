/**
 * Escapes text for use as a value in a distinguished name (RFC 4514, section 2.4), at any place in the value. Each
 * character that could mean something becomes its bytes in hexadecimal.
 */
export function escapeNameValue(text: string): string {
  return text.replace(/["+,;<=>\\#\0]|^ +| +$/g, toHexadecimal);
}

/** Escapes text for use as an assertion value in a search filter (RFC 4515, section 3). */
export function escapeFilterValue(text: string): string {
  return text.replace(/[*()\\\0]/g, toHexadecimal);
}

/** All that is escaped is ASCII, so a character is a byte. */
function toHexadecimal(characters: string): string {
  return characters.replace(
    /./gs,
    (character) => `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
