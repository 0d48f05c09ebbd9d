import type { CredentialProvider } from './provider.ts';

/**
 * Several credentials for one registry. Which of them is used is for whoever sees the registry's answers to say, by
 * `members`; asked itself, it gives that of the first that has one.
 */
export function createPool(members: readonly CredentialProvider[]): CredentialProvider {
  return {
    type: 'pool',
    members,
    async credential(request) {
      let failure: { readonly error: unknown } | undefined;
      for (const member of members) {
        try {
          const credential = await member.credential(request);
          if (credential) return credential;
        } catch (error) {
          request.signal.throwIfAborted();
          failure ??= { error };
        }
      }
      if (failure) throw failure.error;
      return undefined;
    },
    async close() {
      await Promise.all(members.map((member) => member.close()));
    },
  };
}
