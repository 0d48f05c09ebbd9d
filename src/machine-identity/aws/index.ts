export {
  DOCUMENT_KIND,
  type DocumentProof,
  formatDocumentProof,
  isDocumentProof,
  parseDocumentProof,
} from './document-proof.ts';
export { AWS_REGION, type AwsPartition, partitionOf, stsHosts } from './regions.ts';
export {
  formatStsProof,
  isStsProof,
  parseStsProof,
  STS_AUDIENCE_HEADER,
  STS_KIND,
  STS_REQUEST_BODY,
  type StsProof,
  stsRequestHeaders,
} from './sts-proof.ts';
