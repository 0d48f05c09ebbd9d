import { z } from 'zod';
import { CredentialUnavailableError } from './unavailable.ts';

/** `registries:` of providers whose credential opens more than one registry. */
export const registriesOption = z
  .array(z.string().regex(/^[a-z0-9.-]+(?::\d{1,5})?$/, 'expected host or host:port, in lower case'))
  .default([]);

/**
 * Makes sure that a cloud's token goes to a registry of that cloud: it opens more than the registry that asks.
 * @throws {CredentialUnavailableError}
 */
export function requireRegistry(
  registry: string,
  known: RegExp,
  listed: readonly string[],
  { type, owner }: { readonly type: string; readonly owner: string },
): void {
  if (known.test(registry.toLowerCase()) || listed.includes(registry.toLowerCase())) return;
  throw new CredentialUnavailableError(
    `${registry} is no registry of ${owner}: nothing was sent. If it is one under another name, list it in registries of the ${type} credentials`,
  );
}
