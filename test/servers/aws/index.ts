export { type AccessKeys, type Accounts, createAccounts, type Principal, type Role } from './account.ts';
export { type Ec2, type InstanceState, startEc2 } from './ec2.ts';
export { type EcrApi, startEcrApi } from './ecr-api.ts';
export { type EcrRegistry, startEcrRegistry } from './ecr-registry.ts';
export { type Imds, type InstanceMetadata, startImds } from './imds.ts';
export {
  createDocumentSigner,
  type DocumentSigner,
  instanceDocument,
  type MessageOptions,
  signedDocument,
  signedMessage,
} from './instance-document.ts';
export type { Service, ServiceAnswer, ServiceRequest } from './service.ts';
export { type Sts, startSts } from './sts.ts';
