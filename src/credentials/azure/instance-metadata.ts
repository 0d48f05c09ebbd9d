const DEFAULT_ORIGIN = 'http://169.254.169.254';

/** Azure's instance metadata service; AZURE_POD_IDENTITY_AUTHORITY_HOST puts it somewhere else, as for Azure's own libraries. */
export function instanceMetadataUrl(env: Readonly<Record<string, string | undefined>>, path: string): URL {
  const origin = env.AZURE_POD_IDENTITY_AUTHORITY_HOST || DEFAULT_ORIGIN;
  return new URL(path, origin);
}
