import { createHash, type Hash } from 'node:crypto';
import { FileReference } from './file-reference.ts';
import { Secret } from './secret.ts';

/**
 * A digest over a whole option value, secrets and the contents of named files included: two values with the same
 * fingerprint configure the same thing. It gives nothing away of what it is made from.
 */
export function fingerprint(value: unknown): string {
  const hash = createHash('sha256');
  addTo(hash, value);
  return hash.digest('base64url');
}

function addTo(hash: Hash, value: unknown): void {
  if (value instanceof Secret) addText(hash, 'secret', value.reveal());
  else if (value instanceof FileReference) {
    addText(hash, 'file', value.path);
    addText(hash, 'contents', value.contents?.toString('base64') ?? '');
  } else if (value !== null && typeof value === 'object' && !('toJSON' in value)) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    addText(hash, Array.isArray(value) ? 'list' : 'object', String(entries.length));
    for (const [key, entry] of entries) {
      addText(hash, 'key', key);
      addTo(hash, entry);
    }
  } else addText(hash, typeof value, JSON.stringify(value) ?? 'undefined');
}

function addText(hash: Hash, kind: string, text: string): void {
  hash.update(`${kind}:${text.length}:${text};`);
}
