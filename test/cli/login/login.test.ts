import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runLogin } from '../../../src/cli/login/run-login.ts';
import type { Terminal } from '../../../src/cli/terminal.ts';
import type { Clock } from '../../../src/core/index.ts';
import { createWebSite, type SignedInClient, type WebSite } from '../../proxy/web/support.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.ts';

describe('drp login', () => {
  let site: WebSite;
  let anna: SignedInClient;
  let folder: TemporaryFolder;
  beforeAll(async () => {
    site = await createWebSite();
    anna = await site.signIn('sub-anna');
  });
  afterAll(() => site.close());
  beforeEach(async () => {
    folder = await createTemporaryFolder('login');
  });
  afterEach(() => folder.close());

  /** Logs in; between two polls, `decide` is called with the code that was shown. */
  async function login(
    decide: (userCode: string) => Promise<unknown>,
    { host = site.service, env = {} }: { host?: string; env?: Record<string, string> } = {},
  ): Promise<{ printed: string; slept: number[] }> {
    const lines: string[] = [];
    const slept: number[] = [];
    let now = Date.now();
    const terminal: Terminal = {
      env: { PATH: process.env.PATH ?? '', ...env },
      isInteractive: false,
      print: (text) => lines.push(text),
      printError: (text) => lines.push(text),
      setExitCode: () => undefined,
    };
    const clock: Clock = {
      now: () => now,
      sleep: async (milliseconds) => {
        slept.push(milliseconds);
        now += milliseconds;
        await decide(/code ([A-Z-]+)/.exec(lines.join('\n'))?.[1] ?? '');
      },
    };
    await runLogin(host, { dockerConfig: folder.path, deviceName: 'test box' }, terminal, clock);
    return { printed: lines.join('\n'), slept };
  }

  const confirm = (decision: string) => (userCode: string) =>
    anna.client.send(`${site.url}/device/confirm`, {
      form: { 'form-token': anna.formToken, user_code: userCode, decision },
    });
  const configFile = () => join(folder.path, 'config.json');
  const readConfig = async () => JSON.parse(await readFile(configFile(), 'utf8')) as Record<string, unknown>;

  it('shows a code, and keeps the token that comes of it where docker looks', async () => {
    const { printed } = await login(confirm('approve'));
    expect(printed).toContain(`Open ${site.url}/device?user_code=`);
    expect(printed).toContain(`Logged in to ${site.service} as anna.`);
    expect(printed).not.toMatch(/drp_/);
    const { auths } = (await readConfig()) as { auths: Record<string, { auth: string }> };
    const [name, token] = Buffer.from(auths[site.service]?.auth ?? '', 'base64')
      .toString()
      .split(':');
    expect(name).toBe('anna');
    const headers = { authorization: `Basic ${Buffer.from(`anna:${token}`).toString('base64')}` };
    expect((await fetch(`${site.url}/token?service=${site.service}`, { headers })).status).toBe(200);
    expect((await stat(configFile())).mode & 0o777).toBe(0o600);
    expect(await readdir(folder.path)).toEqual(['config.json']);
  });

  it('leaves everything else of the file as it is, and a link a link', async () => {
    await mkdir(join(folder.path, 'dotfiles'));
    const real = join(folder.path, 'dotfiles/docker.json');
    const before = {
      auths: { 'other.example': { auth: 'eA==' } },
      HttpHeaders: { 'X-A': 'b' },
      proxies: { a: [1] },
      __odd: null,
    };
    await writeFile(real, JSON.stringify(before));
    await symlink('dotfiles/docker.json', configFile());
    await login(confirm('approve'));
    const after = JSON.parse(await readFile(real, 'utf8')) as Record<string, Record<string, unknown>>;
    expect(after.auths?.[site.service]).toEqual({ auth: expect.any(String) });
    delete after.auths?.[site.service];
    expect(after).toEqual(before);
    expect((await stat(real)).mode & 0o777).toBe(0o600);
  });

  describe('with a credential helper', () => {
    async function makeHelper(name: string, script: string): Promise<Record<string, string>> {
      await writeFile(join(folder.path, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`);
      await chmod(join(folder.path, `docker-credential-${name}`), 0o755);
      return { PATH: `${folder.path}:${process.env.PATH}`, OUT: folder.path };
    }

    it.each([
      ['credsStore', () => ({ credsStore: 'test', credHelpers: { 'other.example': 'other' } })],
      ['credHelpers', () => ({ credsStore: 'other', credHelpers: { [site.service]: 'test' } })],
    ])('of %s, the token goes there and not into the file', async (_, config) => {
      const env = await makeHelper('test', 'echo "$@" > "$OUT/arguments"; cat > "$OUT/input"');
      await writeFile(
        configFile(),
        JSON.stringify({ ...config(), auths: { [site.service]: { auth: 'b2xk' } } }),
      );
      const { printed } = await login(confirm('approve'), { env });
      expect(printed).toContain('the credential helper test');
      expect(await readFile(join(folder.path, 'arguments'), 'utf8')).toBe('store\n');
      const input = JSON.parse(await readFile(join(folder.path, 'input'), 'utf8')) as Record<string, string>;
      expect(input).toEqual({
        ServerURL: site.service,
        Username: 'anna',
        Secret: expect.stringMatching(/^drp_/),
      });
      expect(await readConfig()).toEqual({ ...config(), auths: { [site.service]: {} } });
    });

    it('that fails, says so without the token', async () => {
      const env = await makeHelper('test', 'cat; echo " locked" >&2; exit 3');
      await writeFile(configFile(), JSON.stringify({ credsStore: 'test' }));
      const error: unknown = await login(confirm('approve'), { env }).catch((reason: unknown) => reason);
      expect(String(error)).toMatch(/docker-credential-test did not take the token: .*locked/);
      expect(String(error)).not.toMatch(/drp_[0-9a-f]/);
      expect(await readConfig()).toEqual({ credsStore: 'test' });
    });

    it.each(['missing-one', '../evil', 'a b', '-x'])('named %j, says what is wrong', async (name) => {
      await writeFile(configFile(), JSON.stringify({ credsStore: name }));
      await expect(login(confirm('approve'))).rejects.toThrow(/can not be run|which can be none/);
    });
  });

  it.each(['{', '[]', '{"auths": 1}', '{"credsStore": {}}'])(
    'does not overwrite a file that it does not understand: %s',
    async (content) => {
      await writeFile(configFile(), content);
      const shown = async () => expect.unreachable('the code was shown already');
      await expect(login(shown)).rejects.toThrow('is no Docker configuration');
      expect(await readFile(configFile(), 'utf8')).toBe(content);
    },
  );

  it('ends when it is denied', async () => {
    await expect(login(confirm('deny'))).rejects.toThrow('it was denied on the page');
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('ends when nobody comes', async () => {
    const error: unknown = await login(async () => undefined).catch((reason: unknown) => reason);
    expect(String(error)).toContain('nobody confirmed the code in time');
  });

  it.each(['', 'a b', 'user@host', 'host/path', 'http://host', '-x', 'host:port', '[', 'a\nb'])(
    'takes no %j for a host',
    async (host) => {
      await expect(login(confirm('approve'), { host })).rejects.toThrow('is no registry host');
    },
  );

  it('says that a host has no such page, or can not be reached', async () => {
    const server = createServer((_, response) => response.writeHead(404).end('{}'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    await expect(login(confirm('approve'), { host })).rejects.toThrow('has no sign-in page for terminals');
    await new Promise((resolve) => server.close(resolve));
    await expect(login(confirm('approve'), { host })).rejects.toThrow('can not be reached');
  });

  it('sends no code to a host that another one names', async () => {
    const seen: string[] = [];
    const server = createServer((request, response) => {
      seen.push(request.url ?? '');
      const evil = 'https://evil.example/device';
      response.end(JSON.stringify({ device_authorization_endpoint: evil, token_endpoint: evil }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    await expect(login(confirm('approve'), { host })).rejects.toThrow('refers to evil.example');
    expect(seen).toEqual(['/.well-known/drp']);
    await new Promise((resolve) => server.close(resolve));
  });
});
