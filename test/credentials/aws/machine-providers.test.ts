import { chmod, mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createInstanceMetadata } from '../../../src/credentials/aws/instance-metadata.ts';
import {
  type CredentialProvider,
  createCredentialProvider,
  credentialOptions,
} from '../../../src/credentials/index.ts';
import { keepNonce } from '../../../src/credentials/nonce-file.ts';
import {
  formatDocumentProof,
  formatStsProof,
  parseDocumentProof,
  parseStsProof,
} from '../../../src/machine-identity/index.ts';
import { createLogger } from '../../../src/telemetry/index.ts';
import { sign } from '../../proxy/identity/aws/sts-support.ts';
import { createStillClock } from '../../proxy/identity/support/still-clock.ts';
import { type AccessKeys, createAccounts, type Imds, startImds } from '../../servers/aws/index.ts';
import { ownFolder } from '../../support/own-folder.ts';
import { describeProvider } from '../provider-suite.ts';
import { during, surroundings } from './support.ts';

const AUDIENCE = 'docker.example.com';
const REGISTRY = 'docker.example.com';
const MINUTE_MS = 60_000;
const { signal } = new AbortController();

function providerOf(options: object, clock = createStillClock()): CredentialProvider {
  const provider = createCredentialProvider(credentialOptions.parse(options), {
    clock,
    log: createLogger('silent'),
  });
  onTestFinished(() => provider.close());
  return provider;
}

async function passwordOf(provider: CredentialProvider): Promise<string> {
  return (await provider.credential({ registry: REGISTRY, signal }))?.password.reveal() ?? '';
}

describe('with keys of a role', () => {
  const clock = createStillClock();
  const accounts = createAccounts({ now: clock.now });
  let keys: AccessKeys;
  let password = '';

  beforeEach(async () => {
    keys = accounts.startSession(
      { account: '111122223333', name: 'node', trusted: [] },
      'i-0123456789abcdef0',
    );
    await surroundings({ keys, variables: { AWS_REGION: 'eu-west-1' } });
    password = formatStsProof(await sign(keys, clock)).reveal();
  });

  describeProvider('aws-sts', {
    type: 'aws-sts',
    create: () => providerOf({ type: 'aws-sts', audience: AUDIENCE }, clock),
    registry: REGISTRY,
    expected: {
      username: '_aws',
      get password() {
        return password;
      },
    },
  });

  it('a request is made anew before the signature ends', async () => {
    const own = createStillClock();
    const provider = providerOf({ type: 'aws-sts', audience: AUDIENCE }, own);
    const first = await passwordOf(provider);
    own.advance(9 * MINUTE_MS - 1);
    expect(await passwordOf(provider)).toBe(first);
    own.advance(1);
    expect(await passwordOf(provider)).not.toBe(first);
  });

  it('the region comes from the options, the environment, the profile, or the instance', async () => {
    const regionOf = async (options: object = {}) => {
      const proof = parseStsProof(
        (
          await providerOf({ type: 'aws-sts', audience: AUDIENCE, ...options }).credential({
            registry: '',
            signal,
          })
        )?.password ?? formatStsProof(await sign(keys, clock)),
      );
      return proof?.host;
    };
    expect(await regionOf({ region: 'cn-north-1' })).toBe('sts.cn-north-1.amazonaws.com.cn');
    expect(await regionOf()).toBe('sts.eu-west-1.amazonaws.com');
    await surroundings({ keys, config: '[profile far]\nregion=ap-east-1\n', variables: { AWS_PROFILE: '' } });
    const imds = await during(startImds({ region: 'us-west-2' }));
    await surroundings({ keys, variables: { AWS_EC2_METADATA_SERVICE_ENDPOINT: imds.url } });
    expect(await regionOf()).toBe('sts.us-west-2.amazonaws.com');
    await imds.close();
    await expect(regionOf()).rejects.toThrow('set region, or AWS_REGION');
  });
});

describe('on an instance', () => {
  const PKCS7 = Buffer.from('a signed document, in several lines of base64').toString('base64');
  let imds: Imds;
  let nonceFile: string;
  let expectedPassword = '';

  beforeEach(async () => {
    imds = await during(
      startImds({ region: 'eu-west-1', rsa2048: () => `${PKCS7.slice(0, 20)}\n${PKCS7.slice(20)}\n` }),
    );
    nonceFile = join(await ownFolder(), 'drp', 'nonce');
    await surroundings({ variables: { AWS_EC2_METADATA_SERVICE_ENDPOINT: imds.url } });
    // What answers has to be this machine's own, whatever the environment says.
    for (const name of ['http_proxy', 'HTTP_PROXY', 'ALL_PROXY']) vi.stubEnv(name, 'http://127.0.0.1:9');
    const nonce = await keepNonce(nonceFile);
    expectedPassword = formatDocumentProof({ pkcs7: PKCS7, nonce }).reveal();
  });

  describeProvider('aws-iid', {
    type: 'aws-iid',
    create: () => providerOf({ type: 'aws-iid', nonceFile }),
    registry: REGISTRY,
    expected: {
      username: '_aws-iid',
      get password() {
        return expectedPassword;
      },
    },
  });
  it('the nonce stays the same, also for several processes that make it at once', async () => {
    const file = join(await ownFolder(), 'a', 'b', 'nonce');
    const nonces = await Promise.all(Array.from({ length: 8 }, () => keepNonce(file)));
    expect(new Set(nonces).size).toBe(1);
    expect(await keepNonce(file)).toBe(nonces[0]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(dirname(file))).mode & 0o777).toBe(0o700);
  });

  it('a nonce that others may read, or that is none, or elsewhere is not used', async () => {
    await chmod(nonceFile, 0o644);
    await expect(keepNonce(nonceFile)).rejects.toThrow('may be read by others');
    const folder = await ownFolder();
    await writeFile(join(folder, 'odd'), 'x', { mode: 0o600 });
    await expect(keepNonce(join(folder, 'odd'))).rejects.toThrow('holds no nonce');
    await symlink(nonceFile, join(folder, 'link'));
    await expect(keepNonce(join(folder, 'link'))).rejects.toThrow('ELOOP');
    await mkdir(join(folder, 'folder'));
    await expect(keepNonce(join(folder, 'folder'))).rejects.toThrow();
  });

  it('the metadata is read in a session, and only so', async () => {
    const proof = parseDocumentProof(
      (await providerOf({ type: 'aws-iid', nonceFile }).credential({ registry: '', signal }))?.password ??
        formatDocumentProof({ pkcs7: 'AAAA', nonce: 'x'.repeat(43) }),
    );
    expect(proof?.pkcs7).toBe(PKCS7);
    expect(imds.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'PUT /latest/api/token',
      'GET /latest/dynamic/instance-identity/rsa2048',
    ]);
  });

  it('too many questions at once are put again', async () => {
    imds.throttled = 3;
    const waits: number[] = [];
    const metadata = createInstanceMetadata({ sleep: async (milliseconds) => void waits.push(milliseconds) });
    onTestFinished(() => metadata.close());
    expect(await metadata.read('/latest/meta-data/placement/region', signal)).toBe('eu-west-1');
    expect(waits).toEqual([100, 200, 400]);
    imds.throttled = 4;
    await expect(metadata.read('/latest/meta-data/placement/region', signal)).rejects.toThrow('(503)');
  });

  it('what is wrong is said: hop limit, switched off, no document, nobody there', async () => {
    const metadata = createInstanceMetadata({ timeoutMs: 100 });
    onTestFinished(() => metadata.close());
    const read = () => metadata.read('/latest/dynamic/instance-identity/rsa2048', signal);
    imds.distance = 'farther';
    await expect(read()).rejects.toThrow('--http-put-response-hop-limit 2');
    imds.distance = 'near';
    imds.enabled = false;
    await expect(read()).rejects.toThrow('switched off');
    imds.enabled = true;
    await expect(metadata.read('/latest/nothing', signal)).rejects.toThrow('this machine has none');
    await imds.close();
    await expect(read()).rejects.toThrow('does not answer');
    await expect(metadata.read('/x', AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  });
});
