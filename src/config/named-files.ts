import { resolve } from 'node:path';
import { FileReference, FolderReference } from '../core/index.ts';
import { FILE_LIMIT_BYTES } from './fingerprint.ts';
import type { Finding, KeyPath } from './problem.ts';
import { type FileContents, readWholeFile } from './read-file.ts';

export interface NamedFiles {
  /** By absolute path, also those that are missing. */
  readonly files: ReadonlyMap<string, FileContents>;
  readonly findings: readonly Finding[];
}

/** Reads every file that a parsed configuration names, each once, and hands the contents to its references. */
export async function readNamedFiles(value: unknown, baseDirectory: string): Promise<NamedFiles> {
  const files = new Map<string, FileContents>();
  const findings: Finding[] = [];
  for (const { path, reference } of references(value, [])) {
    const absolutePath = resolve(baseDirectory, reference.path);
    if (reference instanceof FolderReference) {
      reference.resolve(absolutePath);
      continue;
    }
    const contents = files.get(absolutePath) ?? (await readWholeFile(absolutePath, FILE_LIMIT_BYTES));
    files.set(absolutePath, contents);
    reference.resolve(absolutePath, contents.type === 'contents' ? contents.bytes : undefined);
    if (contents.type === 'missing' && reference.required) {
      findings.push({ path, message: `there is no file ${absolutePath}` });
    }
    if (contents.type === 'unusable') findings.push({ path, message: `${absolutePath} ${contents.reason}` });
  }
  return { files, findings };
}

interface Named {
  readonly path: KeyPath;
  readonly reference: FileReference | FolderReference;
}

function* references(value: unknown, path: KeyPath): Generator<Named> {
  if (value instanceof FileReference || value instanceof FolderReference) {
    yield { path, reference: value };
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* references(item, [...path, index]);
  } else if (isPlainObject(value)) {
    for (const [key, item] of Object.entries(value)) yield* references(item, [...path, key]);
  }
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
