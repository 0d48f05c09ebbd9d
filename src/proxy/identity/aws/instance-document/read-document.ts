import { type IdentityDocument, parseIdentityDocument } from './identity-document.ts';
import { parseSignedMessage } from './signed-message.ts';

/**
 * What an instance identity document says, of which nothing is checked.
 * @param pkcs7 base64, in one line
 * @returns undefined for what is no document
 */
export async function readIdentityDocument(pkcs7: string): Promise<IdentityDocument | undefined> {
  const message = await parseSignedMessage(Buffer.from(pkcs7, 'base64'));
  return message && parseIdentityDocument(message.content);
}
