import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { quickConfiguration } from '../../src/cli/serve/quick-options.ts';
import { runProxy } from '../../src/cli/serve/run-proxy.ts';
import { configFromValue } from '../../src/config/index.ts';
import { proxyOptions } from '../../src/proxy/index.ts';
import { run } from './run-program.ts';

const LOCAL = { upstream: 'https://gcr.io/my-gcp-project', address: '127.0.0.1:5000' };

describe('a configuration from a few options', () => {
  it('is one upstream whose names all begin with the path, for this machine, pull only', async () => {
    const { value } = await configFromValue(quickConfiguration(LOCAL), proxyOptions, {
      baseDirectory: '/',
      env: {},
    });
    expect(value.upstreams.upstream?.url).toBe('https://gcr.io');
    expect(value.routes).toMatchObject([{ upstream: 'upstream', repository: 'my-gcp-project/{name}' }]);
    expect(value.authentication.anonymous).toBe(true);
    expect(value.authorization.rules).toMatchObject([{ actions: ['pull'] }]);
  });

  it.each(['0.0.0.0:5000', '10.0.0.1:5000', 'docker.example.com:5000', '[::]:5000', '127.evil.example:5000'])(
    'is not open to whoever reaches %s without being told so',
    (address) => {
      expect(() => quickConfiguration({ ...LOCAL, address })).toThrow(/--htpasswd FILE.*--anonymous/);
      expect(quickConfiguration({ ...LOCAL, address, anonymous: true })).toMatchObject({
        authentication: { anonymous: true },
      });
      expect(quickConfiguration({ ...LOCAL, address, htpasswd: 'users' })).toMatchObject({
        authentication: { anonymous: false },
      });
    },
  );

  it.each([
    'gcr.io',
    'ftp://gcr.io',
    'https://user:secret@gcr.io',
    'https://gcr.io/a?b=c',
    'https://gcr.io/#a',
  ])('is not made from %s', (upstream) => {
    expect(() => quickConfiguration({ ...LOCAL, upstream })).toThrow(/--upstream takes/);
  });
});

describe('drp serve', () => {
  it.each([
    [['--config', 'a.yaml', '--upstream', 'https://gcr.io'], /cannot be used with/],
    [['--config', 'a.yaml', '--anonymous'], /--anonymous only goes with --upstream/],
    [['--config', 'a.yaml', '--docker-config', 'b'], /--docker-config only goes with --upstream/],
    [['--config', 'none.yaml'], /no such file/],
  ])('%j is refused with exit code 2', async (args, message) => {
    const { error, exitCode } = await run(['serve', ...args]);
    expect(error).toMatch(message);
    expect(exitCode).toBe(2);
  });

  it.each(['address', 'adminAddress'])('ends, and serves nobody, when %s is taken', async (key) => {
    const folder = await mkdtemp(join(tmpdir(), 'drp-serve-test-'));
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    onTestFinished(async () => {
      blocker.close();
      await rm(folder, { recursive: true });
    });
    const taken = `127.0.0.1:${(blocker.address() as AddressInfo).port}`;
    const server = { address: '127.0.0.1:0', adminAddress: '127.0.0.1:0', [key]: taken };
    const load = () =>
      configFromValue({ server, upstreams: {}, routes: [], log: { level: 'silent' } }, proxyOptions, {
        baseDirectory: folder,
        env: {},
      });
    await expect(runProxy(load)).rejects.toThrow(`${taken} is taken`);
  });
});
