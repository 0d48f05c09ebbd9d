import type { Secret } from '../../../core/index.ts';
import { parseDocumentProof, parseStsProof } from '../../../machine-identity/index.ts';
import { readIdentityDocument } from '../aws/index.ts';
import type { VerifierOptions } from '../options.ts';
import type { ExplainedStep } from './explain-login.ts';

type StsOptions = Extract<VerifierOptions, { type: 'aws-sts' }>;
type DocumentOptions = Extract<VerifierOptions, { type: 'aws-iid' }>;

/** What can be said of a signed request before AWS is asked. */
export function stsSteps({ audience }: StsOptions, password: Secret): ExplainedStep[] {
  const proof = parseStsProof(password);
  if (!proof) return [{ step: 'form', result: 'no', detail: 'it is no signed request to STS' }];
  const isForUs = proof.audience === audience;
  return [
    {
      step: 'form',
      result: 'yes',
      detail: `a request to ${proof.host}, signed at ${proof.date} by ${proof.key}`,
    },
    {
      step: 'audience',
      result: isForUs ? 'yes' : 'no',
      detail: isForUs ? proof.audience : `${proof.audience}, not ${audience}`,
    },
  ];
}

/** What a document says of itself, and whether the lists would let that in. */
export async function documentSteps(
  { accounts, regions }: DocumentOptions,
  password: Secret,
): Promise<ExplainedStep[]> {
  const proof = parseDocumentProof(password);
  const document = proof && (await readIdentityDocument(proof.pkcs7));
  if (!document)
    return [{ step: 'form', result: 'no', detail: 'it is no instance identity document with a nonce' }];
  const { accountId, region, instanceId, pendingTime } = document;
  return [
    { step: 'form', result: 'yes', detail: `the document of ${instanceId}, started at ${pendingTime}` },
    { step: 'account', result: accounts.includes(accountId) ? 'yes' : 'no', detail: accountId },
    { step: 'region', result: !regions || regions.includes(region) ? 'yes' : 'no', detail: region },
  ];
}
