import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { checkSchema } from './check-schema.ts';
import { CONFIG_LIMIT_BYTES, FILE_LIMIT_BYTES, fingerprintOf } from './fingerprint.ts';
import { type Environment, interpolate } from './interpolate.ts';
import { readNamedFiles } from './named-files.ts';
import {
  ConfigError,
  type ConfigProblem,
  type ConfigSnapshot,
  type Finding,
  formatKeyPath,
  type Position,
} from './problem.ts';
import { type FileContents, readWholeFile } from './read-file.ts';
import { parseYaml } from './yaml-document.ts';

/** A configuration that can be used, and what it was made of. */
export interface LoadedConfig<T> extends ConfigSnapshot {
  readonly value: T;
}

export interface LoadOptions<T> {
  /** Where `${NAME}` comes from. */
  readonly env: Environment;
  /** What a schema can't say: looks into expressions and into the files that are named. */
  readonly check?: (value: T) => readonly Finding[] | Promise<readonly Finding[]>;
}

export interface ValueOptions<T> extends LoadOptions<T> {
  /** Where relative paths start. */
  readonly baseDirectory: string;
}

/** A value that is not yet checked, and where its parts stand. */
interface Source {
  readonly name: string | undefined;
  readonly value: unknown;
  readonly baseDirectory: string;
  readonly files: ReadonlyMap<string, FileContents>;
  locate(finding: Finding): Partial<Position>;
}

/**
 * Reads a configuration file and every file that it names.
 * @param path as the user named it; problems repeat it so
 * @throws {ConfigError} with all problems that can be known together
 */
export async function loadConfig<T>(
  path: string,
  schema: z.ZodType<T>,
  options: LoadOptions<T>,
): Promise<LoadedConfig<T>> {
  const absolutePath = resolve(path);
  const contents = await readWholeFile(absolutePath, FILE_LIMIT_BYTES);
  const files = new Map([[absolutePath, contents]]);
  const text = decode(contents);
  if (text.type === 'unusable') {
    const nowhere = { file: path, line: undefined, column: undefined, key: '' };
    throw new ConfigError([{ ...nowhere, message: text.reason }], snapshot(files));
  }
  const document = parseYaml(text.content);
  const source: Source = {
    name: path,
    value: document.value,
    baseDirectory: dirname(absolutePath),
    files,
    locate: document.locate,
  };
  refuse(source, document.findings, files, (message) => message);
  return check(source, schema, options);
}

/**
 * The same for a value that was put together in the program.
 * @throws {ConfigError} whose problems have no file, line and column
 */
export function configFromValue<T>(
  value: unknown,
  schema: z.ZodType<T>,
  options: ValueOptions<T>,
): Promise<LoadedConfig<T>> {
  const { baseDirectory } = options;
  const source: Source = { name: undefined, value, baseDirectory, files: new Map(), locate: () => ({}) };
  return check(source, schema, options);
}

async function check<T>(
  source: Source,
  schema: z.ZodType<T>,
  options: LoadOptions<T>,
): Promise<LoadedConfig<T>> {
  const { value, findings: unset, hide } = interpolate(source.value, options.env);
  const checked = checkSchema(schema, value);
  const invalid = checked.type === 'invalid' ? checked.findings : [];
  refuse(source, [...unset, ...invalid.filter((finding) => !standsIn(finding, unset))], source.files, hide);
  // Unreachable: an invalid value has findings, or lacks a variable, and both are refused above.
  if (checked.type === 'invalid') throw new TypeError('a value was refused without a reason');

  const named = await readNamedFiles(checked.value, source.baseDirectory);
  const files = new Map([...source.files, ...named.files]);
  refuse(source, named.findings, files, hide);
  refuse(source, (await options.check?.(checked.value)) ?? [], files, hide);
  return { value: checked.value, ...snapshot(files) };
}

function refuse(
  source: Source,
  findings: readonly Finding[],
  files: ReadonlyMap<string, FileContents>,
  hide: (message: string) => string,
): void {
  if (findings.length === 0) return;
  const problems = findings.map((finding) => problem(source, finding, hide));
  problems.sort(
    (one, other) => (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0),
  );
  throw new ConfigError(problems, snapshot(files));
}

function problem(source: Source, finding: Finding, hide: (message: string) => string): ConfigProblem {
  const { line, column } = source.locate(finding);
  return {
    file: source.name,
    line,
    column,
    key: formatKeyPath(finding.path),
    // One problem is one line.
    message: hide(finding.message).replace(/\p{Cc}+/gu, ' '),
  };
}

/** Whether a value is only wrong because a variable in it is not set. */
function standsIn(finding: Finding, unset: readonly Finding[]): boolean {
  return unset.some(
    ({ path }) =>
      path.length === finding.path.length && path.every((key, index) => key === finding.path[index]),
  );
}

function snapshot(files: ReadonlyMap<string, FileContents>): ConfigSnapshot {
  return { files: [...files.keys()], fingerprint: fingerprintOf(files) };
}

function decode(
  contents: FileContents,
): { type: 'text'; content: string } | { type: 'unusable'; reason: string } {
  if (contents.type === 'missing') return { type: 'unusable', reason: 'there is no such file' };
  if (contents.type === 'folder') return { type: 'unusable', reason: 'is a folder' };
  if (contents.type === 'unusable') return contents;
  if (contents.bytes.length > CONFIG_LIMIT_BYTES) {
    return { type: 'unusable', reason: `is larger than ${CONFIG_LIMIT_BYTES} bytes` };
  }
  try {
    return { type: 'text', content: new TextDecoder('utf-8', { fatal: true }).decode(contents.bytes) };
  } catch {
    return { type: 'unusable', reason: 'is not UTF-8 text' };
  }
}
