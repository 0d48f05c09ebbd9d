import type { CredentialOptions, CredentialProvider } from '../../../credentials/index.ts';

type MakeProvider = (options: CredentialOptions) => CredentialProvider;

/** The same for providers that are of use together only: when one can't be made, those made before are closed. */
export function allOrNone(make: MakeProvider, onNotClosed: (error: unknown) => void): MakeProvider {
  const made: CredentialProvider[] = [];
  return (options) => {
    try {
      const provider = make(options);
      made.push(provider);
      return provider;
    } catch (error) {
      for (const provider of made) provider.close().catch(onNotClosed);
      throw error;
    }
  };
}
