import {
  STS_REQUEST_BODY,
  type StsProof,
  stsHosts,
  stsRequestHeaders,
} from '../../../machine-identity/index.ts';
import type { AwsCredentials } from '../credential-chain.ts';

export interface SignedFor {
  readonly audience: string;
  readonly region: string;
}

const SIGNATURE = /Signature=([0-9a-f]{64})$/;

/**
 * Signs GetCallerIdentity for the usual host of the region, with the audience among the headers that are signed.
 * @throws for a region that has no such host
 */
export async function signStsRequest(
  { audience, region }: SignedFor,
  credentials: AwsCredentials,
  signingDate: Date,
): Promise<StsProof> {
  const [{ SignatureV4 }, { Sha256 }] = await Promise.all([
    import('@smithy/signature-v4'),
    import('@aws-crypto/sha256-js'),
  ]);
  const host = stsHosts(region)[0];
  if (host === undefined) throw new Error(`${region} is no region of AWS`);
  const date = signingDate.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const { accessKeyId: key, sessionToken: token } = credentials;
  const parts = { audience, host, date, ...(token !== undefined && { token }) };
  const signer = new SignatureV4({
    service: 'sts',
    region,
    credentials,
    sha256: Sha256,
    applyChecksum: false,
  });
  const signed = await signer.sign(
    {
      method: 'POST',
      protocol: 'https:',
      hostname: host,
      path: '/',
      headers: { ...stsRequestHeaders(parts) },
      body: STS_REQUEST_BODY,
    },
    { signingDate },
  );
  const [, signature] = SIGNATURE.exec(signed.headers.authorization ?? '') ?? [];
  if (signature === undefined) throw new Error('the request could not be signed');
  return { audience, region, host, date, key, ...(token !== undefined && { token }), signature };
}
