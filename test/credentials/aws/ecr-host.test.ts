import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEcrHost } from '../../../src/credentials/aws/ecr/ecr-host.ts';

const region = (text: string, changes: object = {}) => ({
  type: 'private',
  account: '111122223333',
  region: text,
  fips: false,
  dualStack: false,
  ...changes,
});

describe('the host of a registry', () => {
  it.each([
    ['111122223333.dkr.ecr.eu-west-1.amazonaws.com', region('eu-west-1')],
    ['111122223333.dkr.ecr.eu-west-1.amazonaws.com:443', region('eu-west-1')],
    ['111122223333.dkr.ecr.US-EAST-1.amazonaws.com', region('us-east-1')],
    ['111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn', region('cn-north-1')],
    ['111122223333.dkr.ecr-fips.us-gov-west-1.amazonaws.com', region('us-gov-west-1', { fips: true })],
    ['111122223333.dkr-ecr.eu-west-1.on.aws', region('eu-west-1', { dualStack: true })],
    ['111122223333.dkr-ecr-fips.us-east-1.on.aws', region('us-east-1', { dualStack: true, fips: true })],
    [
      '111122223333.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn',
      region('cn-north-1', { dualStack: true }),
    ],
    ['111122223333.dkr.ecr.eusc-de-east-1.amazonaws.eu', region('eusc-de-east-1')],
    ['111122223333.dkr.ecr.us-iso-east-1.c2s.ic.gov', region('us-iso-east-1')],
    ['public.ecr.aws', { type: 'public' }],
  ])('%s is read', (host, expected) => {
    expect(parseEcrHost(host)).toEqual(expected);
  });

  it.each([
    '111122223333.dkr.ecr.eu-west-1.amazonaws.com.example.com',
    '111122223333.dkr.ecr.eu-west-1.amazonaws.com:8443',
    '111122223333.dkr.ecr.eu-west-1.on.aws',
    '111122223333.dkr-ecr.eu-west-1.amazonaws.com',
    '11112222333.dkr.ecr.eu-west-1.amazonaws.com',
    'x111122223333.dkr.ecr.eu-west-1.amazonaws.com',
    '111122223333.dkr.ecr..amazonaws.com',
    '111122223333.dkr.ecr.eu-west-1/evil.amazonaws.com',
    'public.ecr.aws.example.com',
    'xpublic.ecr.aws',
    'gcr.io',
    '127.0.0.1:5000',
    '',
  ])('%s is nobody of ECR', (host) => {
    expect(parseEcrHost(host)).toBeUndefined();
  });

  it('is never anybody else than it says', () => {
    fc.assert(
      fc.property(fc.domain(), (domain) => {
        expect(parseEcrHost(`111122223333.dkr.ecr.eu-west-1.${domain}`)).toBeUndefined();
      }),
    );
  });
});
