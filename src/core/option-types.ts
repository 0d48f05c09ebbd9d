import { z } from 'zod';
import { parseDurationMs } from './duration.ts';
import { FileReference, FolderFilesReference, FolderReference } from './file-reference.ts';
import { Secret } from './secret.ts';

/**
 * Building blocks for each part's `options.ts`: the kinds of value that a configuration file may hold. The title of each
 * stands in the JSON Schema, and as the type of an option in the reference page.
 */

/** A duration such as `30s`; the parsed value is in milliseconds. */
export const duration = z
  .string()
  .regex(/^\d{1,9}(ms|s|m|h|d)$/, 'expected a duration such as 500ms, 30s, 5m, 12h or 7d')
  .transform((text) => parseDurationMs(text) ?? 0)
  .meta({ title: 'Duration' });

/** A file that has to exist; relative paths start at the configuration file's folder. */
export const file = z
  .string()
  .min(1)
  .transform((path) => new FileReference(path))
  .meta({ title: 'File' });

/** A file that may be missing, because the program makes it. */
export const optionalFile = z
  .string()
  .min(1)
  .transform((path) => new FileReference(path, false))
  .meta({ title: 'File' });

/** A folder; relative paths start at the configuration file's folder. */
export const folder = z
  .string()
  .min(1)
  .transform((path) => new FolderReference(path))
  .meta({ title: 'Folder' });

/** A folder that has to exist, and whose files with this ending are read. */
export const filesIn = (ending: string) =>
  z
    .string()
    .min(1)
    .transform((path) => new FolderFilesReference(path, ending))
    .meta({ title: 'Folder' });

/** A secret written in the file itself, usually as `${NAME}` from the environment. */
export const secret = z
  .string()
  .min(1)
  .transform((value) => new Secret(value))
  .meta({ title: 'Secret', writeOnly: true });
