/** What differs between Azure's clouds. */
export interface AzureCloud {
  /** Where Entra ID is. */
  readonly authority: string;
  /** What a token for the registry is asked for. */
  readonly registryResource: string;
}

const PUBLIC: AzureCloud = {
  authority: 'https://login.microsoftonline.com',
  registryResource: 'https://containerregistry.azure.net',
};

const SOVEREIGN: Readonly<Record<string, AzureCloud>> = {
  us: {
    authority: 'https://login.microsoftonline.us',
    registryResource: 'https://management.usgovcloudapi.net',
  },
  cn: {
    authority: 'https://login.chinacloudapi.cn',
    registryResource: 'https://management.chinacloudapi.cn',
  },
};

/** Registries of all clouds, those with a region or a domain label in their name included. */
export const AZURE_REGISTRIES = /^[a-z0-9-]+(?:\.[a-z0-9]+)?\.azurecr\.(?:io|us|cn)$/;

/** The cloud that a registry is in, by its name; the public one when that says nothing. */
export function cloudOf(registry: string): AzureCloud {
  return SOVEREIGN[/\.azurecr\.(us|cn)$/.exec(registry.toLowerCase())?.[1] ?? ''] ?? PUBLIC;
}
