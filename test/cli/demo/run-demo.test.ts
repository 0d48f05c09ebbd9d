import { EventEmitter, once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { verify } from '@node-rs/bcrypt';
import { describe, expect, test } from 'vitest';
import { type DemoDependencies, DemoError, runDemo } from '../../../src/cli/demo/run-demo.ts';
import { startDemoProxy } from '../../../src/cli/demo/start-demo-proxy.ts';
import { startFakeRegistry } from './fake-registry.ts';

const OPTIONS = { port: 0, once: true, json: false, program: 'drp' };

function prepare(more: Partial<DemoDependencies> = {}, isTerminal = false) {
  const output = new EventEmitter();
  const stop = new AbortController();
  let text = '';
  const write = (part: string): void => {
    text += part;
    output.emit('written');
  };
  const dependencies: DemoDependencies = {
    startProxy: startDemoProxy,
    fetch,
    clock: { now: () => 0, sleep: async () => {} },
    output: { write, isTerminal },
    signal: stop.signal,
    architecture: 'amd64',
    ...more,
  };
  const written = async (part: string): Promise<void> => {
    while (!text.includes(part)) await once(output, 'written');
  };
  return { dependencies, stop, text: () => text, written };
}

describe('the demo', () => {
  test('pulls, is refused without a login and where no rule allows it, and leaves nothing', async () => {
    const { dependencies, text } = prepare();
    expect(await runDemo({ ...OPTIONS, json: true }, dependencies)).toBe(true);
    const result = JSON.parse(text());
    expect(result).toMatchObject({
      good: true,
      username: 'demo',
      attempts: {
        allowed: { outcome: 'pulled', image: { platform: 'linux/amd64' } },
        withoutLogin: { outcome: 'refused', status: 401, code: 'UNAUTHORIZED' },
        withoutRule: { outcome: 'refused', code: 'DENIED' },
      },
    });
    expect(existsSync(dirname(result.configFile))).toBe(false);
  });

  test('tells people what happens, line by line and without control characters in a pipe', async () => {
    const { dependencies, text } = prepare();
    await runDemo(OPTIONS, dependencies);
    expect(text()).toContain('GET /v2/hello/manifests/latest');
    expect(text()).toContain('as it should be: refused with 401 UNAUTHORIZED');
    expect(text()).not.toContain('\u001b');
    expect(text()).not.toMatch(/\d ms/);
    expect(text()).not.toContain('docker login');
  });

  test('stays up until the signal, with commands to try', async () => {
    const { dependencies, stop, text, written } = prepare({}, true);
    const running = runDemo({ ...OPTIONS, once: false }, dependencies);
    await Promise.race([written('Ctrl-C'), running]);
    const url = /serves (http:\S+)/.exec(text())?.[1] ?? '';
    expect((await fetch(`${url}/v2/`)).status).toBe(401);
    expect(text()).toMatch(/echo \S+ \| docker login --username demo --password-stdin 127\.0\.0\.1:\d+\n/);
    stop.abort();
    expect(await running).toBe(true);
    await expect(fetch(`${url}/v2/`)).rejects.toThrow();
  });

  test('keeps its folder to its user, and the password in it as a hash only', async () => {
    let folder = '';
    const { dependencies, text } = prepare({
      startProxy: async (configFile) => {
        folder = dirname(configFile);
        expect((await stat(folder)).mode & 0o777).toBe(0o700);
        expect(await readFile(join(folder, 'users.htpasswd'), 'utf8')).toMatch(/^demo:\$2b\$10\$\S{53}\n$/);
        throw new Error('no');
      },
    });
    await expect(runDemo(OPTIONS, dependencies)).rejects.toThrow("the proxy can't start: no");
    expect(existsSync(folder)).toBe(false);
    expect(text()).toBe('');
  });

  test('says so when a refusal did not come', async () => {
    const { dependencies, text } = prepare({
      // A registry that is no proxy: it knows nobody, so that already the first pull is refused.
      startProxy: async (configFile) => {
        const { url } = await startFakeRegistry(join(dirname(configFile), 'images'), 'somebody:else');
        return { url, adminUrl: url, close: async () => {} };
      },
    });
    expect(await runDemo({ ...OPTIONS, once: false }, dependencies)).toBe(false);
    expect(text()).toContain('NOT AS IT SHOULD BE: refused with 401 UNAUTHORIZED');
  });

  test('gives up in one line when the port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const { dependencies } = prepare();
    const started = runDemo({ ...OPTIONS, port }, dependencies);
    await expect(started).rejects.toThrow(DemoError);
    await expect(started).rejects.toThrow(/^port \d+ can't be had .*leave --port out$/);
    server.close();
  });

  test('ends at once when the signal comes in the middle', async () => {
    let closed = false;
    const { dependencies, stop } = prepare();
    const startProxy: DemoDependencies['startProxy'] = async (configFile, logFile) => {
      const proxy = await startDemoProxy(configFile, logFile);
      stop.abort();
      const close = async (): Promise<void> => {
        await proxy.close();
        closed = true;
      };
      return { ...proxy, close };
    };
    expect(await runDemo({ ...OPTIONS, once: false }, { ...dependencies, startProxy })).toBe(false);
    expect(closed).toBe(true);
  });
});

test('the password of the JSON result is the one in the file', async () => {
  let hash = '';
  const { dependencies, text } = prepare({
    startProxy: async (configFile, logFile) => {
      hash = (await readFile(join(dirname(configFile), 'users.htpasswd'), 'utf8'))
        .trim()
        .slice('demo:'.length);
      return startDemoProxy(configFile, logFile);
    },
  });
  await runDemo({ ...OPTIONS, json: true }, dependencies);
  expect(await verify(JSON.parse(text()).password, hash)).toBe(true);
});
