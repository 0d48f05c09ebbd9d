import { beforeAll, describe, expect, it } from 'vitest';
import { documentVerifierOptions } from '../../../../src/proxy/identity/aws/index.ts';
import type { Outcome, Verifier } from '../../../../src/proxy/identity/index.ts';
import { during, surroundings } from '../../../credentials/aws/support.ts';
import { createAccounts, createDocumentSigner, startEc2, startSts } from '../../../servers/aws/index.ts';
import { describeVerifier } from '../verifier-suite.ts';
import {
  ACCOUNT,
  createDocumentBench,
  createSigners,
  type DocumentInput,
  goodMessage,
  goodProof,
  INSTANCE,
  INSTANCE_ARN,
  type Signers,
  THEIRS,
} from './document-support.ts';

const HOUR_MS = 3_600_000;
const REFUSED = { type: 'refused' };
const IDENTITY = { type: 'identity' };
const CANNOT_TELL = { type: 'cannot-tell' };
const { signal } = new AbortController();
let signers: Signers;

beforeAll(async () => {
  signers = await createSigners();
});

describeVerifier('aws-iid', async () => {
  const { verifierOf } = await createDocumentBench(signers);
  return {
    verifier: verifierOf(),
    username: '_aws-iid',
    password: goodProof(signers).reveal(),
    identityName: INSTANCE_ARN,
    unknownUsername: undefined,
  };
});

describe('the document of an instance', () => {
  it('says which instance it is', async () => {
    const { verify } = await createDocumentBench(signers);
    expect(await verify(goodMessage(signers))).toEqual({
      type: 'identity',
      identity: {
        verifier: 'instances',
        name: INSTANCE_ARN,
        groups: [],
        claims: {
          accountId: ACCOUNT,
          partition: 'aws',
          region: 'eu-west-1',
          availabilityZone: 'eu-west-1a',
          instanceId: INSTANCE,
          instanceType: 't3.micro',
          imageId: 'ami-0123456789abcdef0',
        },
      },
      anchor: expect.any(String),
    });
  });

  it.each([
    ['no account', { accounts: [] }, REFUSED],
    ['another account', { accounts: ['444455556666'] }, REFUSED],
    ['no region', { regions: [] }, REFUSED],
    ['another region', { regions: ['us-east-1'] }, REFUSED],
    ['this region', { regions: ['eu-west-1'] }, IDENTITY],
  ] as [string, DocumentInput, object][])(
    'is let in or not where the options name %s',
    async (_, input, expected) => {
      const { verify, verifierOf } = await createDocumentBench(signers);
      expect(await verify(goodMessage(signers), undefined, verifierOf(input))).toMatchObject(expected);
    },
  );

  it('needs a list of accounts, and certificates', () => {
    const options = { type: 'aws-iid', name: 'instances' };
    expect(documentVerifierOptions.safeParse({ ...options, certificates: 'aws' }).success).toBe(false);
    expect(documentVerifierOptions.safeParse({ ...options, accounts: [ACCOUNT] }).success).toBe(false);
  });

  it('is of no use to a second machine, nor to anybody once it is old', async () => {
    const { verify, clock } = await createDocumentBench(signers);
    const message = goodMessage(signers);
    expect(await verify(message)).toMatchObject(IDENTITY);
    expect(await verify(message, THEIRS)).toMatchObject(REFUSED);
    expect(await verify(message)).toMatchObject(IDENTITY);
    clock.advance(2 * HOUR_MS);
    expect(await verify(goodMessage(signers, { instanceId: 'i-0fedcba9876543210' }))).toMatchObject({
      ...REFUSED,
      reason: expect.stringContaining('too old'),
    });
    // The one that is bound has its nonce.
    expect(await verify(message)).toMatchObject(IDENTITY);
  });

  it('binds exactly one of many machines that show it at once', async () => {
    const { verifierOf, verify } = await createDocumentBench(signers);
    const verifier = verifierOf();
    const message = goodMessage(signers);
    const nonces = Array.from(
      { length: 20 },
      (_, index) => `${'n'.repeat(41)}${String(index).padStart(2, '0')}`,
    );
    const outcomes = await Promise.all(nonces.map((nonce) => verify(message, nonce, verifier)));
    expect(outcomes.filter(({ type }) => type === 'identity')).toHaveLength(1);
    expect(outcomes.filter(({ type }) => type === 'refused')).toHaveLength(19);
  });

  it('with an older pendingTime than one before is refused', async () => {
    const { verify } = await createDocumentBench(signers);
    expect(await verify(goodMessage(signers))).toMatchObject(IDENTITY);
    expect(await verify(goodMessage(signers, { pendingTime: '2025-12-31T23:59:59Z' }))).toMatchObject(
      REFUSED,
    );
  });

  it('with a newer pendingTime binds anew where that is allowed', async () => {
    const { verify, verifierOf, clock } = await createDocumentBench(signers);
    await verify(goodMessage(signers));
    clock.advance(HOUR_MS);
    const restarted = goodMessage(signers, { pendingTime: '2026-01-01T01:00:00Z' });
    expect(await verify(restarted, THEIRS)).toMatchObject(REFUSED);
    expect(await verify(restarted, THEIRS, verifierOf({ rebindAfterRestart: true }))).toMatchObject(IDENTITY);
  });

  it('ends at the greatest age, where one is set', async () => {
    const { verify, verifierOf, clock } = await createDocumentBench(signers);
    const verifier = verifierOf({ maximumAge: '7d' });
    expect(await verify(goodMessage(signers), undefined, verifier)).toMatchObject(IDENTITY);
    clock.advance(8 * 24 * HOUR_MS);
    expect(await verify(goodMessage(signers), undefined, verifier)).toMatchObject(REFUSED);
  });
});

describe('renewal', () => {
  async function login() {
    const bench = await createDocumentBench(signers);
    const outcome = await bench.verify(goodMessage(signers));
    if (outcome.type !== 'identity') throw new Error(outcome.reason);
    const { identity, anchor } = outcome;
    const renew = (verifier: Verifier): Promise<Outcome> | undefined =>
      verifier.renew?.(identity, anchor, signal);
    return { ...bench, identity, anchor, renew };
  }

  it('goes on for as long as the instance is let in', async () => {
    const { renew, verifierOf, clock } = await login();
    for (let day = 0; day < 10; day += 1) {
      clock.advance(24 * HOUR_MS);
      expect(await renew(verifierOf())).toMatchObject(IDENTITY);
    }
    expect(await renew(verifierOf({ accounts: [] }))).toMatchObject(REFUSED);
    expect(await renew(verifierOf({ regions: ['us-east-1'] }))).toMatchObject(REFUSED);
  });

  it('ends when the instance is bound to another nonce', async () => {
    const { renew, verify, verifierOf, clock } = await login();
    clock.advance(HOUR_MS);
    const verifier = verifierOf({ rebindAfterRestart: true });
    await verify(goodMessage(signers, { pendingTime: '2026-01-01T01:00:00Z' }), THEIRS, verifier);
    expect(await renew(verifier)).toMatchObject(REFUSED);
  });

  it('is for nobody whose claims were changed', async () => {
    const { identity, anchor, verifierOf } = await login();
    for (const changes of [
      { accountId: '444455556666' },
      { instanceId: 'i-0fedcba9876543210' },
      { region: undefined },
    ]) {
      const changed = { ...identity, claims: { ...identity.claims, ...changes } };
      expect(await verifierOf().renew?.(changed, anchor, signal)).toMatchObject(REFUSED);
    }
  });
});

describe('certificates', () => {
  it.each([
    ['none', {}, 'holds no certificate: expected files'],
    [
      'one that is no region',
      { 'ireland.pem': 'x' },
      '/etc/drp/aws/ireland.pem: expected the name of a region',
    ],
    [
      'a file without one',
      { 'eu-west-1.pem': 'x' },
      '/etc/drp/aws/eu-west-1.pem holds no certificate in PEM',
    ],
    [
      'one that can not be read',
      { 'eu-west-1.pem': '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----' },
      'can not be read',
    ],
  ])('that are %s stop the start', async (_, certificates, message) => {
    const { verifierOf } = await createDocumentBench(signers);
    expect(() => verifierOf({}, certificates)).toThrow(message);
  });

  it('of RSA-1024 are not taken', async () => {
    const weak = await createDocumentSigner({ bits: 1024 });
    const { verifierOf } = await createDocumentBench(signers);
    expect(() => verifierOf({}, { 'eu-west-1.pem': weak.certificatePem })).toThrow('RSA-2048');
  });

  it('may be two for a region, and the one that fits counts', async () => {
    const { verify, verifierOf } = await createDocumentBench(signers);
    const both = `${signers.frankfurt.certificatePem}\n${signers.ireland.certificatePem}\n`;
    const verifier = verifierOf({}, { 'eu-west-1.pem': both });
    expect(await verify(goodMessage(signers), undefined, verifier)).toMatchObject(IDENTITY);
  });

  it('that have expired, or are missing for the region, are said', async () => {
    const old = await createDocumentSigner({ notAfter: new Date('2025-01-01T00:00:00Z') });
    const { verify, verifierOf } = await createDocumentBench({ ...signers, ireland: old });
    expect(await verify(goodMessage({ ...signers, ireland: old }))).toMatchObject({
      reason: 'the certificate for eu-west-1 has expired',
    });
    const verifier = verifierOf({}, { 'us-east-1.pem': signers.ireland.certificatePem });
    expect(await verify(goodMessage(signers), undefined, verifier)).toMatchObject({
      reason: expect.stringContaining('add eu-west-1.pem'),
    });
  });
});

describe('whether the instance runs', () => {
  async function setUp(permissions = ['ec2:DescribeInstances']) {
    const bench = await createDocumentBench(signers);
    const accounts = createAccounts();
    const ec2 = await during(startEc2(accounts));
    ec2.instances.set(ACCOUNT, new Map([[INSTANCE, 'running']]));
    await surroundings({ keys: accounts.createUser(ACCOUNT, 'proxy', permissions) });
    const verifier = bench.verifierOf({ verifyInstance: { endpoint: ec2.url } });
    return {
      ...bench,
      accounts,
      ec2,
      verifier,
      login: () => bench.verify(goodMessage(signers), undefined, verifier),
    };
  }

  it.each([
    ['running', IDENTITY],
    ['pending', IDENTITY],
    ['stopped', REFUSED],
    ['terminated', REFUSED],
  ] as const)('is asked of EC2: %s', async (status, expected) => {
    const { ec2, login } = await setUp();
    ec2.instances.set(ACCOUNT, new Map([[INSTANCE, status]]));
    expect(await login()).toMatchObject(expected);
  });

  it('is no where EC2 does not know it, and nothing is bound then', async () => {
    const { ec2, login, verify } = await setUp();
    ec2.instances.clear();
    expect(await login()).toMatchObject(REFUSED);
    expect(await verify(goodMessage(signers), THEIRS)).toMatchObject(IDENTITY);
  });

  it('is remembered for a minute, and asked again at each renewal after that', async () => {
    const { ec2, login, clock, verifier } = await setUp();
    const outcome = await login();
    if (outcome.type !== 'identity') throw new Error(outcome.reason);
    await Promise.all(Array.from({ length: 10 }, login));
    expect(ec2.requests).toHaveLength(1);
    ec2.instances.set(ACCOUNT, new Map([[INSTANCE, 'terminated']]));
    clock.advance(60_000);
    expect(await verifier.renew?.(outcome.identity, outcome.anchor, signal)).toMatchObject(REFUSED);
  });

  it('can not be told while EC2 is down, throttles, or does not let us ask', async () => {
    const { ec2, login } = await setUp();
    ec2.answerInstead({
      status: 503,
      body: '<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>x</Message></Error></Errors></Response>',
    });
    expect(await login()).toMatchObject({ ...CANNOT_TELL, reason: expect.stringContaining('throttles') });
    await ec2.close();
    expect(await login()).toMatchObject({
      ...CANNOT_TELL,
      reason: expect.stringContaining("can't be reached"),
    });
    const denied = await setUp([]);
    expect(await denied.login()).toMatchObject({
      ...CANNOT_TELL,
      reason: expect.stringContaining('allow ec2:DescribeInstances'),
    });
  });

  it('is asked with a role of the account of the instance', async () => {
    const { accounts, ec2, verifierOf, verify } = await setUp();
    const role = { account: ACCOUNT, name: 'look', permissions: ['ec2:DescribeInstances'], trusted: ['*'] };
    accounts.createRole(role);
    const sts = await during(startSts(accounts));
    const keys = accounts.createUser('444455556666', 'proxy');
    await surroundings({ keys, variables: { AWS_ENDPOINT_URL_STS: sts.url } });
    const verifyInstance = { endpoint: ec2.url, role: { arn: 'arn:aws:iam::{account}:role/look' } };
    expect(await verify(goodMessage(signers), undefined, verifierOf({ verifyInstance }))).toMatchObject(
      IDENTITY,
    );
  });
});
