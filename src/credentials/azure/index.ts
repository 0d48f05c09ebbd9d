export { createAcrProvider } from './acr-provider.ts';
export { createAzureAttestedProvider } from './attested-provider.ts';
export { createAzureProvider } from './azure-provider.ts';
export type { EntraDependencies } from './entra-token.ts';
export { instanceMetadataUrl } from './instance-metadata.ts';
export { acrOptions, azureAttestedOptions, azureOptions } from './options.ts';
