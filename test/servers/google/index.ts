export {
  createGoogleIdentity,
  type GoogleAccount,
  type GoogleIdentity,
  type GoogleInstance,
  ISSUER,
} from './identity.ts';
export { type GoogleMetadataServer, startGoogleMetadataServer } from './metadata-server.ts';
export { startArtifactRegistry } from './registry.ts';
export { FEDERATED_CALLER, type GoogleServices, startGoogleServices } from './services.ts';
