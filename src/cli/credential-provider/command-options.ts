/** What `drp credential-provider` is given. */
export interface CredentialProviderCommandOptions {
  readonly config: string;
  readonly cacheDirectory?: string;
}
