import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { question } from '../kubelet/credential-provider/question.ts';
import { mustRun, runCommand } from '../support/commands.ts';
import { ownFolder } from '../support/own-folder.ts';

const TOP = join(import.meta.dirname, '../..');
const EXECUTABLE = join(TOP, 'dist/drp-node');
const IMAGE = 'docker.example.com/team/app';

let home: string;
let config: string;
beforeEach(async () => {
  home = await ownFolder();
  config = join(home, 'config.yaml');
  await writeFile(join(home, 'password'), 'canary\n');
  await writeFile(
    config,
    'credentials: [{ images: ["docker.example.com/**"], provider: { type: static, username: nodes, passwordFile: password } }]',
  );
});

const ask = (input: string, ...args: string[]) =>
  runCommand(EXECUTABLE, ['credential-provider', '--config', config, ...args], { home, input });

describe('the executable, as kubelet starts it', () => {
  it('answers one question with one JSON object', async () => {
    const { code, stdout, stderr } = await ask(question(IMAGE));
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual({
      apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
      kind: 'CredentialProviderResponse',
      cacheKeyType: 'Registry',
      cacheDuration: '300s',
      auth: { 'docker.example.com': { username: 'nodes', password: 'canary' } },
    });
  });

  it('answers from what it has kept, and anew when the password has changed on disk', async () => {
    const folder = join(home, 'kept');
    const passwords: string[] = [];
    for (const password of ['first', undefined, 'second']) {
      if (password !== undefined) await writeFile(join(home, 'password'), password);
      const { stdout } = await ask(question(IMAGE), '--cache-directory', folder);
      passwords.push(
        (JSON.parse(stdout) as { auth: Record<string, { password: string }> }).auth['docker.example.com']
          ?.password ?? '',
      );
    }
    expect(passwords).toEqual(['first', 'first', 'second']);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it.each([
    ['no question', '{}'],
    ['another version', question(IMAGE, { apiVersion: 'credentialprovider.kubelet.k8s.io/v1alpha1' })],
    ['nothing at all', ''],
  ])('says in one line what is wrong with %s, and answers nothing', async (_, input) => {
    const { code, stdout, stderr } = await ask(input, '--cache-directory', join(home, 'kept'));
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^drp: .+\n$/);
  });

  it('names file, line and key of a wrong configuration', async () => {
    const file = join(home, 'wrong.yaml');
    await writeFile(
      file,
      'credentials:\n  - images: ["docker.example.com"]\n    provider: { type: anonymous }\n',
    );
    const { code, stderr } = await runCommand(EXECUTABLE, ['credential-provider', '--config', file], {
      home,
      input: question(IMAGE),
    });
    expect(code).toBe(2);
    expect(stderr).toContain(`${file}:2:14: credentials[0].images[0]: write docker.example.com/**`);
  });

  it('runs a plugin that is a module', async () => {
    const module = join(home, 'plugin.mjs');
    await writeFile(
      module,
      `export default () => ({ credential: async () => ({ credential: { username: 'module', password: 'p' } }) });`,
    );
    await writeFile(
      join(home, 'plugins.yaml'),
      `credentials: [{ images: ["docker.example.com/**"], provider: { type: module, file: ${module} } }]`,
    );
    const { stdout, stderr } = await runCommand(
      EXECUTABLE,
      ['credential-provider', '--config', join(home, 'plugins.yaml')],
      { home, input: question(IMAGE) },
    );
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ auth: { 'docker.example.com': { username: 'module' } } });
  });
});

describe('the executable', () => {
  it('has the packages of clouds, which are loaded when they are needed', async () => {
    const image = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app';
    await writeFile(config, `credentials: [{ images: ["${image}"], provider: { type: ecr } }]`);
    const keys = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'canary' };
    // Nobody listens on port 1.
    const environment = { ...keys, AWS_ENDPOINT_URL: 'http://127.0.0.1:1' };
    const { code, stderr } = await runCommand(EXECUTABLE, ['credential-provider', '--config', config], {
      home,
      environment,
      input: question(image),
    });
    expect(code).toBe(1);
    expect(stderr).toContain("AWS can't be reached (ECONNREFUSED)");
  });

  it('is the same whenever it is built from the same sources', async () => {
    const folder = join(home, 'again');
    await mkdir(folder);
    const [sum = ''] = (await readFile(`${EXECUTABLE}.sha256`, 'utf8')).split(' ');
    const node = (
      await mustRun('make', ['--no-print-directory', 'print-executable-node'], { home: TOP })
    ).stdout.trim();
    await mustRun(
      'node',
      [join(TOP, 'deploy/executable/build.mjs'), join(TOP, node), join(folder, 'drp-node')],
      { home, timeoutMs: 110_000 },
    );
    expect(await readFile(join(folder, 'drp-node.sha256'), 'utf8')).toBe(`${sum}  drp-node\n`);
    await mustRun('sha256sum', ['--check', 'drp-node.sha256'], { home: folder });
  });

  it('holds no path of the machine that built it', async () => {
    const contents = await readFile(EXECUTABLE);
    expect(contents.includes(`${TOP}/src`)).toBe(false);
    expect(contents.includes(`${TOP}/node_modules`)).toBe(false);
  });
});
