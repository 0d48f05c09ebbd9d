import { join, resolve } from 'node:path';
import { FileReference, FolderFilesReference, FolderReference } from '../core/index.ts';
import { FILE_LIMIT_BYTES } from './fingerprint.ts';
import type { Finding, KeyPath } from './problem.ts';
import { type FileContents, readWholeFile } from './read-file.ts';

/** In one folder. */
const MAXIMUM_FILES = 200;

export interface NamedFiles {
  /** By absolute path, also those that are missing. */
  readonly files: ReadonlyMap<string, FileContents>;
  readonly findings: readonly Finding[];
}

/** Reads every file that a parsed configuration names, each once, and hands the contents to its references. */
export async function readNamedFiles(value: unknown, baseDirectory: string): Promise<NamedFiles> {
  const files = new Map<string, FileContents>();
  const findings: Finding[] = [];

  async function read(path: string): Promise<FileContents> {
    const contents = files.get(path) ?? (await readWholeFile(path, FILE_LIMIT_BYTES));
    files.set(path, contents);
    return contents;
  }

  async function readFolder(
    path: KeyPath,
    absolutePath: string,
    ending: string,
  ): Promise<Map<string, Buffer>> {
    const found = new Map<string, Buffer>();
    const folder = await read(absolutePath);
    if (folder.type !== 'folder') {
      findings.push({ path, message: `there is no folder ${absolutePath}` });
      return found;
    }
    const names = folder.names.filter((name) => name.endsWith(ending) && !name.startsWith('.'));
    if (names.length > MAXIMUM_FILES) {
      findings.push({ path, message: `${absolutePath} has more than ${MAXIMUM_FILES} files` });
    }
    for (const name of names.slice(0, MAXIMUM_FILES)) {
      const contents = await read(join(absolutePath, name));
      if (contents.type === 'contents') found.set(name, contents.bytes);
      else findings.push({ path, message: `${join(absolutePath, name)} ${problemOf(contents)}` });
    }
    return found;
  }

  for (const { path, reference } of references(value, [])) {
    const absolutePath = resolve(baseDirectory, reference.path);
    if (reference instanceof FolderReference) {
      reference.resolve(absolutePath);
    } else if (reference instanceof FolderFilesReference) {
      reference.resolve(absolutePath, await readFolder(path, absolutePath, reference.ending));
    } else {
      const contents = await read(absolutePath);
      reference.resolve(absolutePath, contents.type === 'contents' ? contents.bytes : undefined);
      if (contents.type === 'missing' && reference.required) {
        findings.push({ path, message: `there is no file ${absolutePath}` });
      } else if (contents.type !== 'contents' && contents.type !== 'missing') {
        findings.push({ path, message: `${absolutePath} ${problemOf(contents)}` });
      }
    }
  }
  return { files, findings };
}

function problemOf(contents: Exclude<FileContents, { type: 'contents' }>): string {
  switch (contents.type) {
    case 'folder':
      return 'is a folder';
    case 'missing':
      return 'is gone';
    case 'unusable':
      return contents.reason;
  }
}

interface Named {
  readonly path: KeyPath;
  readonly reference: FileReference | FolderFilesReference | FolderReference;
}

function* references(value: unknown, path: KeyPath): Generator<Named> {
  if (
    value instanceof FileReference ||
    value instanceof FolderFilesReference ||
    value instanceof FolderReference
  ) {
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
