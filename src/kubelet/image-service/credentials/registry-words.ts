import { type ImageServiceError, STATUS } from '../errors.ts';

/** Codes under which a runtime passes a registry's words on. */
const CODES_WITH_WORDS: readonly number[] = [
  STATUS.UNKNOWN,
  STATUS.INTERNAL,
  STATUS.NOT_FOUND,
  STATUS.FAILED_PRECONDITION,
  STATUS.INVALID_ARGUMENT,
  STATUS.UNAVAILABLE,
];

/**
 * What a registry said about a pull, in small letters and without what only names something.
 * @param image the reference that was asked for; what it says is not taken for the registry's words
 * @returns undefined where a runtime speaks for itself
 */
export function registryWords({ code, message }: ImageServiceError, image: string): string | undefined {
  return CODES_WITH_WORDS.includes(code) ? withoutNames(message, image).toLowerCase() : undefined;
}

/** The image's name, as a whole and in parts, may hold words such as `denied` and numbers such as `401`. */
function withoutNames(message: string, image: string): string {
  const [name = ''] = image.split('@');
  const withoutTag = name.replace(/:[^/:]*$/, '');
  const names = [image, name, withoutTag].flatMap((text) => [text, text.slice(text.indexOf('/') + 1)]);
  // Addresses hold the repository, too.
  const withoutAddresses = message.replace(/\bhttps?:\/\/[^\s"]+/g, 'URL');
  return names
    .filter((text) => text.length > 2)
    .sort((a, b) => b.length - a.length)
    .reduce((text, part) => text.replaceAll(part, 'NAME'), withoutAddresses);
}
