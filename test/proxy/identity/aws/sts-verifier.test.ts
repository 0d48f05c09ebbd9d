import { describe, expect, it, onTestFinished } from 'vitest';
import { createCredentialProvider, credentialOptions } from '../../../../src/credentials/index.ts';
import { formatStsProof } from '../../../../src/machine-identity/index.ts';
import { stsVerifierOptions } from '../../../../src/proxy/identity/aws/index.ts';
import { createLogger } from '../../../../src/telemetry/index.ts';
import { surroundings } from '../../../credentials/aws/support.ts';
import { describeVerifier } from '../verifier-suite.ts';
import {
  ACCOUNT,
  AUDIENCE,
  createStsBench,
  INSTANCE,
  ROLE,
  ROLE_ARN,
  SESSION_ARN,
  sign,
} from './sts-support.ts';

const MINUTE_MS = 60_000;
const REFUSED = { type: 'refused' };
const CANNOT_TELL = { type: 'cannot-tell' };

describeVerifier('aws-sts', async () => {
  const { verifierOf, keys, clock } = await createStsBench();
  return {
    verifier: verifierOf(),
    username: '_aws',
    password: formatStsProof(await sign(keys, clock)).reveal(),
    identityName: SESSION_ARN,
    unknownUsername: undefined,
  };
});

describe('a signed request', () => {
  it('says who the machine is, as AWS has it', async () => {
    const { verify, keys, clock } = await createStsBench();
    expect(await verify(await sign(keys, clock))).toEqual({
      type: 'identity',
      identity: {
        verifier: 'nodes',
        name: SESSION_ARN,
        groups: [],
        claims: {
          accountId: ACCOUNT,
          partition: 'aws',
          userId: keys.principal.userId,
          stsRegion: 'eu-west-1',
          roleArn: ROLE_ARN,
          roleName: 'node',
          sessionName: INSTANCE,
          instanceId: INSTANCE,
        },
      },
    });
  });

  it('that the provider made is taken, and AWS saw what was signed', async () => {
    const { verifierOf, keys, clock, sts } = await createStsBench();
    await surroundings({ keys, variables: { AWS_REGION: 'eu-central-1' } });
    const options = credentialOptions.parse({ type: 'aws-sts', audience: AUDIENCE });
    const provider = createCredentialProvider(options, { clock, log: createLogger('silent') });
    onTestFinished(() => provider.close());
    const { signal } = new AbortController();
    const credential = await provider.credential({ registry: 'docker.example.com', signal });
    if (!credential) throw new Error('there should be one');
    expect(credential).toMatchObject({ username: '_aws', expiresAt: clock.now() + 10 * MINUTE_MS });
    expect(await verifierOf().verify(credential, signal)).toMatchObject({
      type: 'identity',
      identity: { name: SESSION_ARN },
    });
    const [seen] = sts.requests;
    expect(seen).toMatchObject({ method: 'POST', path: '/', query: '' });
    expect(seen?.header('host')).toBe('sts.eu-central-1.amazonaws.com');
    expect(seen?.body.toString()).toBe('Action=GetCallerIdentity&Version=2011-06-15');
    expect(seen?.header('authorization')).toContain(
      'SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-drp-audience,',
    );
  });

  it('is asked about once for many who show it, and again after a while', async () => {
    const { verifierOf, keys, clock, sts } = await createStsBench();
    const verifier = verifierOf();
    const credential = { username: '_aws', password: formatStsProof(await sign(keys, clock)) };
    const { signal } = new AbortController();
    const all = await Promise.all(Array.from({ length: 20 }, () => verifier.verify(credential, signal)));
    expect(all.every(({ type }) => type === 'identity')).toBe(true);
    expect(sts.requests).toHaveLength(1);
    clock.advance(MINUTE_MS);
    await verifier.verify(credential, signal);
    expect(sts.requests).toHaveLength(2);
  });

  it.each([
    ['the global host', 'us-east-1', 'sts.amazonaws.com'],
    ['a FIPS host', 'us-west-2', 'sts-fips.us-west-2.amazonaws.com'],
    ['the usual host', 'ap-southeast-2', 'sts.ap-southeast-2.amazonaws.com'],
  ])('may be for %s', async (_, region, host) => {
    const { verify, keys, clock } = await createStsBench();
    expect(await verify(await sign(keys, clock, { region, host }))).toMatchObject({ type: 'identity' });
  });

  it('of a user has no role', async () => {
    const { verify, accounts, clock } = await createStsBench();
    const proof = await sign(accounts.createUser(ACCOUNT, 'anna'), clock);
    const outcome = await verify(proof);
    expect(outcome).toMatchObject({
      type: 'identity',
      identity: { name: `arn:aws:iam::${ACCOUNT}:user/anna` },
    });
    expect(JSON.stringify(outcome)).not.toContain('role');
    expect(await verify(proof, { roles: ['**'] })).toMatchObject(REFUSED);
  });
});

describe('who is let in', () => {
  it.each([
    ['no account', { accounts: [] }, REFUSED],
    ['another account', { accounts: ['444455556666'] }, REFUSED],
    ['no role', { roles: [] }, REFUSED],
    ['another role', { roles: [`arn:aws:iam::${ACCOUNT}:role/other`] }, REFUSED],
    ['this role', { roles: [ROLE_ARN] }, { type: 'identity' }],
    ['a pattern', { roles: [`arn:aws:iam::${ACCOUNT}:role/no*`] }, { type: 'identity' }],
    ['a pattern of another account', { roles: ['arn:aws:iam::444455556666:role/*'] }, REFUSED],
    ['no region', { regions: [] }, REFUSED],
    ['another region', { regions: ['us-east-1'] }, REFUSED],
    ['this region', { regions: ['eu-west-1'] }, { type: 'identity' }],
    ['another part of AWS', { partitions: ['aws-cn' as const] }, REFUSED],
    ['another audience', { audience: 'other.example.com' }, REFUSED],
  ])('where the options name %s', async (_, input, expected) => {
    const { verify, keys, clock } = await createStsBench();
    expect(await verify(await sign(keys, clock), input)).toMatchObject(expected);
  });

  it('has to be said: accounts and audience are required', () => {
    const options = { type: 'aws-sts', name: 'nodes', audience: AUDIENCE };
    expect(stsVerifierOptions.safeParse(options).success).toBe(false);
    expect(stsVerifierOptions.safeParse({ ...options, accounts: ['1'] }).success).toBe(false);
    expect(
      stsVerifierOptions.safeParse({ ...options, audience: undefined, accounts: [ACCOUNT] }).success,
    ).toBe(false);
  });

  it.each([
    ['15 minutes old', -15 * MINUTE_MS, { type: 'identity' }],
    ['older', -17 * MINUTE_MS, REFUSED],
    ['of the next minute', MINUTE_MS, { type: 'identity' }],
    ['of the future', 2 * MINUTE_MS, REFUSED],
  ])('depends on the time: %s', async (_, age, expected) => {
    const { verify, keys, clock, sts } = await createStsBench();
    expect(await verify(await sign(keys, clock, { date: new Date(clock.now() + age) }))).toMatchObject(
      expected,
    );
    expect(sts.requests).toHaveLength(expected === REFUSED ? 0 : 1);
  });

  it('is nobody whose session has ended, or whose keys were deleted', async () => {
    const { verify, keys, clock, accounts } = await createStsBench();
    const ended = accounts.startSession(ROLE, 'i-0fedcba9876543210', -1);
    expect(await verify(await sign(ended, clock))).toMatchObject({
      ...REFUSED,
      reason: expect.stringContaining('expired'),
    });
    const proof = await sign(keys, clock);
    accounts.revoke(keys);
    expect(await verify(proof)).toMatchObject(REFUSED);
  });
});

describe('nobody can tell', () => {
  const identity = {
    GetCallerIdentityResponse: {
      GetCallerIdentityResult: { Account: ACCOUNT, Arn: SESSION_ARN, UserId: 'AROA:x' },
    },
  };
  const json = { 'content-type': 'application/json' };

  it.each([
    ['answers XML', { status: 200, headers: { 'content-type': 'text/xml' }, body: '<Arn/>' }],
    [
      'answers JSON that says it is XML',
      { status: 200, headers: { 'content-type': 'text/xml' }, body: JSON.stringify(identity) },
    ],
    [
      'answers XML that says it is JSON',
      { status: 200, headers: json, body: '<GetCallerIdentityResponse/>' },
    ],
    ['answers something else', { status: 200, headers: json, body: '{"Account":"111122223333"}' }],
    ['answers nothing', { status: 200, headers: json, body: '' }],
    [
      'answers without end',
      { status: 200, headers: json, body: ' '.repeat(70_000) + JSON.stringify(identity) },
    ],
    ['throttles', { status: 400, headers: json, body: '{"Error":{"Code":"Throttling"}}' }],
    ['has a problem', { status: 503, headers: json, body: '{"Error":{"Code":"SignatureDoesNotMatch"}}' }],
    [
      'answers a refusal in XML',
      { status: 403, headers: { 'content-type': 'text/xml' }, body: '<Code>SignatureDoesNotMatch</Code>' },
    ],
    ['answers an unknown error', { status: 403, headers: json, body: '{"Error":{"Code":"constructor"}}' }],
  ])('while STS %s', async (_, answer) => {
    const { verify, keys, clock, sts } = await createStsBench();
    sts.answerInstead(() => answer);
    expect(await verify(await sign(keys, clock))).toMatchObject(CANNOT_TELL);
  });

  it.each([301, 302, 307, 308])('while STS redirects with %i, and nobody is asked there', async (status) => {
    const { verify, keys, clock, sts } = await createStsBench();
    const elsewhere = await createStsBench();
    const body = JSON.stringify(identity);
    sts.answerInstead(() => ({ status, headers: { ...json, location: elsewhere.sts.url }, body }));
    expect(await verify(await sign(keys, clock))).toMatchObject(CANNOT_TELL);
    expect(elsewhere.sts.requests).toHaveLength(0);
  });

  it.each([
    ['another account in the ARN', { Arn: `arn:aws:sts::444455556666:assumed-role/node/${INSTANCE}` }],
    ['another partition', { Arn: `arn:aws-cn:sts::${ACCOUNT}:assumed-role/node/${INSTANCE}` }],
    ['an ARN of another service', { Arn: `arn:aws:s3::${ACCOUNT}:assumed-role/node/${INSTANCE}` }],
    ['a number for an account', { Account: 111122223333 }],
    ['no user id', { UserId: undefined }],
    ['line breaks', { Arn: `${SESSION_ARN}\n` }],
  ])('when STS contradicts itself with %s', async (_, changes) => {
    const { verify, keys, clock, sts } = await createStsBench();
    const result = { ...identity.GetCallerIdentityResponse.GetCallerIdentityResult, ...changes };
    const body = JSON.stringify({ GetCallerIdentityResponse: { GetCallerIdentityResult: result } });
    sts.answerInstead(() => ({ status: 200, headers: json, body }));
    expect(await verify(await sign(keys, clock))).toMatchObject(CANNOT_TELL);
  });

  it('while STS is out of reach', async () => {
    const { verify, keys, clock, sts } = await createStsBench();
    await sts.close();
    expect(await verify(await sign(keys, clock))).toMatchObject(CANNOT_TELL);
  });
});
