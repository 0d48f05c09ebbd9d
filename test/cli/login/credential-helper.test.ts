import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { credentialFolder } from '../../../src/cli/credential-helper/credential-files.ts';
import { runCredentialHelper } from '../../../src/cli/credential-helper/run-credential-helper.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.ts';

describe('docker-credential-drp', () => {
  let home: TemporaryFolder;
  let folder: string;
  beforeEach(async () => {
    home = await createTemporaryFolder('helper');
    folder = join(home.path, 'data/credentials');
  });
  afterEach(() => home.close());

  const run = (action: string, input = '') => runCredentialHelper([action], async () => input, folder);
  const credential = (server: string, secret = 'canary') => ({
    ServerURL: server,
    Username: 'anna',
    Secret: secret,
  });
  const store = (server: string, secret?: string) => run('store', JSON.stringify(credential(server, secret)));

  it('keeps, gives, lists and erases', async () => {
    expect(await store('docker.example.com')).toEqual({ output: '', exitCode: 0 });
    await store('https://index.docker.io/v1/', 'other');
    expect(JSON.parse((await run('get', 'docker.example.com\n')).output)).toEqual(
      credential('docker.example.com'),
    );
    expect(JSON.parse((await run('list')).output)).toEqual({
      'docker.example.com': 'anna',
      'https://index.docker.io/v1/': 'anna',
    });
    await store('docker.example.com', 'newer');
    expect(JSON.parse((await run('get', 'docker.example.com')).output)).toMatchObject({ Secret: 'newer' });
    expect(await run('erase', 'docker.example.com')).toEqual({ output: '', exitCode: 0 });
    expect(await run('erase', 'docker.example.com')).toEqual({ output: '', exitCode: 0 });
    expect((await run('get', 'docker.example.com')).exitCode).toBe(1);
    expect(JSON.parse((await run('list')).output)).toEqual({ 'https://index.docker.io/v1/': 'anna' });
  });

  it('says in the words that docker knows that there is no login', async () => {
    expect(await run('get', 'nobody.example')).toEqual({
      output: 'credentials not found in native keychain\n',
      exitCode: 1,
    });
    expect(await run('get', ' \n')).toEqual({ output: 'no credentials server URL\n', exitCode: 1 });
    expect(await store('')).toEqual({ output: 'no credentials server URL\n', exitCode: 1 });
    const nameless = JSON.stringify({ ...credential('a'), Username: '' });
    expect(await run('store', nameless)).toEqual({ output: 'no credentials username\n', exitCode: 1 });
    expect(await run('list')).toEqual({ output: '{}\n', exitCode: 0 });
  });

  it('lets nobody else read them', async () => {
    await store('docker.example.com');
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    const [file = ''] = await readdir(folder);
    expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
  });

  it('makes no path of what a server is called', async () => {
    for (const server of ['../../evil', '/etc/passwd', 'a\0b', '__proto__', 'x'.repeat(5000)]) {
      await store(server);
      expect(JSON.parse((await run('get', server)).output)).toEqual(credential(server));
    }
    for (const file of await readdir(folder)) expect(file).toMatch(/^[0-9a-f]{64}\.json$/);
    expect(await readdir(home.path)).toEqual(['data']);
  });

  it('loses nothing when many write at once', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, index) => store(`host-${index}.example`)));
    expect(Object.keys(JSON.parse((await run('list')).output) as object)).toHaveLength(20);
  });

  it('quotes no secret in what it says is wrong', async () => {
    for (const input of ['canary', '{"Secret": "canary"', '{"Secret": "canary", "ServerURL": 1}']) {
      const { output, exitCode } = await run('store', input);
      expect(exitCode).toBe(1);
      expect(output).not.toContain('canary');
    }
    await store('docker.example.com');
    const [file = ''] = await readdir(folder);
    await writeFile(join(folder, file), '{"Secret": "canary"');
    const { output } = await run('get', 'docker.example.com');
    expect(output).toContain('is damaged; log in again');
    expect(output).not.toContain('canary');
    expect(await readFile(join(folder, file), 'utf8')).toContain('canary');
  });

  it.each([[[]], [['steal']], [['get', 'more']]])('takes no other arguments: %j', async (args) => {
    const { output, exitCode } = await runCredentialHelper(args, async () => '', folder);
    expect(exitCode).toBe(1);
    expect(output).toContain('docker-credential-drp <store|get|erase|list|version>');
  });

  it('keeps them where data of a user goes', () => {
    expect(credentialFolder({ HOME: '/home/anna' })).toBe('/home/anna/.local/share/drp/credentials');
    expect(credentialFolder({ HOME: '/home/anna', XDG_DATA_HOME: '/data' })).toBe('/data/drp/credentials');
  });
});
