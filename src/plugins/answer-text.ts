import { PluginError } from './errors.ts';

/**
 * Reads an answer that came as JSON text.
 * @throws {PluginError} `nonsense`, without a word of the text
 */
export function parseAnswerText(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // The parser's own message quotes the text, which may hold a password.
    throw new PluginError('nonsense', `answered ${bytes.length} bytes that are not JSON`);
  }
}
