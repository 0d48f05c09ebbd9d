import { describe, expect, it } from 'vitest';
import { credentialOptions } from '../../../../src/credentials/index.ts';
import { documentVerifierOptions, stsVerifierOptions } from '../../../../src/proxy/identity/aws/index.ts';

/** Whoever can answer in the place of AWS says who anybody is, or reads the password that ECR gives. */
describe.each([
  [
    'STS',
    (endpoint: string) =>
      stsVerifierOptions.safeParse({
        type: 'aws-sts',
        name: 'nodes',
        audience: 'docker.example.com',
        accounts: [],
        endpoint,
      }),
  ],
  [
    'EC2',
    (endpoint: string) =>
      documentVerifierOptions.safeParse({
        type: 'aws-iid',
        name: 'nodes',
        certificates: 'aws',
        accounts: [],
        verifyInstance: { endpoint },
      }),
  ],
  ['ECR', (endpoint: string) => credentialOptions.safeParse({ type: 'ecr', endpoint })],
])('an endpoint of %s', (_, parse) => {
  it.each(['https://vpce-1.sts.eu-west-1.vpce.amazonaws.com', 'http://127.0.0.1:4566', 'http://localhost'])(
    'may be %s',
    (endpoint) => {
      expect(parse(endpoint).success).toBe(true);
    },
  );

  it.each([
    'http://sts.internal',
    'http://10.0.0.1:4566',
    'http://127.0.0.1.evil.example',
    'https://user:password@sts.internal',
    'ftp://sts.internal',
    'sts.internal',
  ])('may not be %s', (endpoint) => {
    expect(parse(endpoint).success).toBe(false);
  });
});
