export { startAppIdentity } from './app-identity.ts';
export {
  type Attestation,
  type AttestedContent,
  createAttestation,
  INTERMEDIATE_URL,
  makeSelfSigned,
  SHA256,
  SHA256_WITH_RSA,
  type Signer,
  timeText,
} from './attestation.ts';
export { type ContainerRegistry, startContainerRegistry } from './container-registry.ts';
export {
  type Entra,
  type EntraApplication,
  type ManagedPrincipal,
  startEntra,
  TENANT,
} from './entra.ts';
export { type AzureInstanceMetadata, startAzureInstanceMetadata } from './instance-metadata.ts';
