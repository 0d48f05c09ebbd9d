import type { CredentialProvider } from './provider.ts';

/** Never has a credential. */
export function createAnonymousProvider(): CredentialProvider {
  return {
    type: 'anonymous',
    credential: async () => undefined,
    close: async () => {},
  };
}
