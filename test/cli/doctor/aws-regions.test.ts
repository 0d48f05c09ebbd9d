import { X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import { awsRegions } from '../../../src/cli/doctor/server/aws-regions.ts';
import { createCertificateAuthority } from '../../support/certificates.ts';

const DAY_MS = 86_400_000;

/** A certificate that ends after so many days. */
async function ending(days: number): Promise<X509Certificate> {
  const authority = await createCertificateAuthority();
  const notAfter = new Date(Date.now() + days * DAY_MS);
  const { certificatePem } = await authority.issueClient({
    subject: 'CN=aws',
    notAfter,
    notBefore: new Date(0),
  });
  return new X509Certificate(certificatePem);
}

it('names the regions that are covered, and says nothing of certificates that last', async () => {
  const certificates = new Map([
    ['us-east-1', [await ending(1000)]],
    ['eu-west-1', [await ending(1000)]],
  ]);
  expect(awsRegions('nodes', certificates, undefined, Date.now())).toEqual([
    { status: 'ok', message: 'nodes: certificates cover eu-west-1, us-east-1' },
  ]);
});

it('names what ends soon, has ended, is missing, or is not used', async () => {
  const certificates = new Map([
    ['us-east-1', [await ending(-1)]],
    ['eu-west-1', [await ending(30)]],
    ['eu-west-2', [await ending(-1), await ending(1000)]],
    ['sa-east-1', [await ending(1000)]],
  ]);
  const wanted = ['us-east-1', 'eu-west-1', 'eu-west-2', 'ap-south-1'];
  const findings = awsRegions('nodes', certificates, wanted, Date.now());
  expect(findings.map(({ status, message }) => `${status} ${message}`)).toEqual([
    'ok nodes: certificates cover eu-west-1, eu-west-2, us-east-1',
    'fail nodes: no certificate for ap-south-1, so no instance there can log in',
    'warn nodes: the certificate for eu-west-1 ends in 30 days',
    'fail nodes: the certificate for us-east-1 has expired',
    'warn nodes: sa-east-1.pem is not used: the region is not let in',
  ]);
  for (const { status, next } of findings) expect(next === undefined).toBe(status === 'ok');
});

it('does not say that all is well where no region is covered', () => {
  expect(awsRegions('nodes', new Map(), ['eu-west-1'], 0).map(({ status }) => status)).toEqual(['fail']);
});
