import { createHash } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import type { FileReference } from '../../core/index.ts';
import { PluginError } from '../errors.ts';

/** A function of a module. */
export type Callable = (...parameters: readonly unknown[]) => unknown;

/**
 * Imports a module and finds its factory. The version of the file is part of the address, so that a changed file is
 * a new module.
 * @param names of exports, the first that is there counts
 * @throws {PluginError} `unavailable`
 */
export async function loadFactory(file: FileReference, names: readonly string[]): Promise<Callable> {
  const version = createHash('sha256')
    .update(file.contents ?? '')
    .digest('hex')
    .slice(0, 16);
  const address = pathToFileURL(file.path);
  address.search = `v=${version}`;
  const exported = await importModule(address.href, file.path);
  const factory = names.map((name) => exported[name]).find((value) => value !== undefined);
  if (!isCallable(factory)) {
    throw new PluginError('unavailable', `${file.path} exports none of the functions ${names.join(', ')}`);
  }
  return factory;
}

async function importModule(address: string, path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(/* @vite-ignore */ address)) as Record<string, unknown>;
  } catch (cause) {
    throw new PluginError('unavailable', `${path} can't be loaded: ${messageOf(cause)}`, { cause });
  }
}

export function isCallable(value: unknown): value is Callable {
  return typeof value === 'function';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
