import { X509Certificate } from 'node:crypto';
import type { FileReference } from '../../core/index.ts';

/**
 * The certificates to trust for a service.
 * @throws {Error} for a file that does not begin with a PEM certificate
 */
export function certificateAuthorityOf(file: FileReference | undefined): string | undefined {
  if (!file) return undefined;
  const text = file.text();
  try {
    new X509Certificate(text);
  } catch {
    throw new Error(`${file.path} holds no PEM certificate`);
  }
  return text;
}
