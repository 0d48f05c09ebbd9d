import { describe, expect, test } from 'vitest';
import { type PullStep, pullImage } from '../../../src/cli/demo/pull.ts';
import { RefusedError, RegistryFaultError } from '../../../src/cli/demo/registry-client.ts';
import { writeSampleLayout } from '../../../src/cli/demo/sample-layout.ts';
import { Secret } from '../../../src/core/index.ts';
import { ownFolder } from '../../support/own-folder.ts';
import { type Faults, startFakeRegistry } from './fake-registry.ts';

const LOGIN = { username: 'demo', password: new Secret('canary') };
const STILL_CLOCK = { now: () => 0, sleep: async () => {} };

async function prepare(faults: Faults = {}) {
  const folder = await ownFolder();
  const index = await writeSampleLayout(folder, ['hello:latest', 'payroll:latest']);
  const registry = await startFakeRegistry(folder, 'demo:canary', faults);
  const steps: PullStep[] = [];
  const request = {
    url: registry.url,
    repository: 'hello',
    tag: 'latest',
    login: LOGIN,
    architecture: 'arm64',
  };
  const { signal } = new AbortController();
  const dependencies = { fetch, signal, clock: STILL_CLOCK, onStep: (step: PullStep) => steps.push(step) };
  const pull = (more: Partial<typeof request> | { login: undefined } = {}) =>
    pullImage({ ...request, ...more }, dependencies);
  return { index, registry, steps, pull };
}

describe('a pull', () => {
  test('goes from the challenge to the last layer of the chosen platform', async () => {
    const { pull, steps, index, registry } = await prepare();
    expect(await pull()).toMatchObject({ digest: index.digest, platform: 'linux/arm64', layers: 1 });
    expect(steps.map(({ request }) => request.replace(/[0-9a-f]{64}/, '…'))).toEqual([
      'GET /v2/',
      'GET /token?scope=repository:hello:pull',
      'GET /v2/hello/manifests/latest',
      'GET /v2/hello/manifests/sha256:…',
      'GET /v2/hello/blobs/sha256:…',
      'GET /v2/hello/blobs/sha256:…',
    ]);
    expect(registry.seen.length).toBe(steps.length);
  });

  test('shows the password to nobody but the token endpoint', async () => {
    const { pull, registry, steps } = await prepare();
    await pull();
    expect(registry.seen.filter((line) => line.includes('Basic '))).toEqual([
      expect.stringMatching(/^GET \/token\?/),
    ]);
    expect(JSON.stringify(steps)).not.toContain('canary');
  });

  test('without a login is refused', async () => {
    const { pull, steps } = await prepare();
    await expect(pull({ login: undefined })).rejects.toMatchObject({ status: 401, code: 'UNAUTHORIZED' });
    expect(steps.at(-1)).toMatchObject({ request: expect.stringContaining('/token'), outcome: '401: no' });
  });

  test('of what may not be pulled is refused', async () => {
    const { pull } = await prepare();
    await expect(pull({ repository: 'payroll' })).rejects.toBeInstanceOf(RefusedError);
    await expect(pull({ repository: 'payroll' })).rejects.toMatchObject({ status: 403, code: 'DENIED' });
  });

  test.each([
    ['a blob with a wrong byte', { spoil: flip('/blobs/') }, 'another digest'],
    ['a manifest with a wrong byte', { spoil: flip('/manifests/') }, 'another digest'],
    ['a token endpoint elsewhere', { realm: 'http://127.0.0.1:1/token' }, 'another origin'],
    ['no challenge', { ping: 200 }, 'without a challenge'],
    [
      'a token answer without a token',
      { spoil: (path: string, content: Buffer) => (path.startsWith('/token') ? Buffer.from('{}') : content) },
      'without a token',
    ],
  ])('is ended by %s', async (_name, faults, message) => {
    const { pull, registry } = await prepare(faults);
    await expect(pull()).rejects.toThrow(RegistryFaultError);
    await expect(pull()).rejects.toThrow(message);
    if (message === 'another origin') expect(registry.seen.join()).not.toContain('Basic');
  });

  test('for a platform that is not there says so', async () => {
    const { pull } = await prepare();
    await expect(pull({ architecture: 's390x' })).rejects.toThrow('not there for linux/s390x');
  });
});

function flip(part: string): (path: string, content: Buffer) => Buffer {
  return (path, content) => {
    if (!path.includes(part)) return content;
    const spoiled = Buffer.from(content);
    spoiled[content.length - 1] = 0x20;
    return spoiled;
  };
}
