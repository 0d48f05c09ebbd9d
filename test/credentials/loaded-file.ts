import { FileReference } from '../../src/core/index.ts';

/** A file reference as the configuration's loader hands it over. */
export function loadedFile(content: string, path = '/etc/drp/file'): FileReference {
  const reference = new FileReference('file');
  reference.resolve(path, Buffer.from(content));
  return reference;
}
