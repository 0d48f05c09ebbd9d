import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { CredentialProvider } from '../../src/credentials/index.ts';

/** What every provider has to get right, with a registry that it has a credential for (or none at all). */
export interface ProviderCase {
  readonly type: string;
  readonly create: () => CredentialProvider;
  readonly registry: string;
  /** What {@link registry} gets; undefined for a provider that never has one. */
  readonly expected: { readonly username: string; readonly password: string } | undefined;
}

export function describeProvider(name: string, { type, create, registry, expected }: ProviderCase): void {
  const { signal } = new AbortController();

  describe(`${name}, as any provider`, () => {
    test('goes by its type in the configuration', () => {
      expect(create().type).toBe(type);
    });

    test('gives the credential for the registry', async () => {
      const credential = await create().credential({ registry, signal });
      expect(credential?.username).toBe(expected?.username);
      expect(credential?.password.reveal()).toBe(expected?.password);
    });

    test('gives the same credential to many at once', async () => {
      const provider = create();
      const all = await Promise.all(
        Array.from({ length: 20 }, () => provider.credential({ registry, signal })),
      );
      expect(new Set(all.map((credential) => credential?.password.reveal()))).toEqual(
        new Set([expected?.password]),
      );
    });

    test('shows no password when it or its credential is printed', async () => {
      const provider = create();
      const credential = await provider.credential({ registry, signal });
      const printed = [provider, credential].map(
        (value) => inspect(value, { depth: 9 }) + JSON.stringify(value),
      );
      if (expected) expect(printed.join()).not.toContain(expected.password);
    });

    test('can be closed twice', async () => {
      const provider = create();
      await provider.close();
      await provider.close();
    });
  });
}
