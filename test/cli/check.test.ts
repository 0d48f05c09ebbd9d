import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../config/temporary-folder.ts';
import { run, runOn } from './run-program.ts';

const GOOD = `
upstreams:
  hub: { url: "https://registry-1.docker.io" }
routes:
  - { match: { path: hub }, upstream: hub }
authorization:
  rules:
    - name: all
      when: identity.verifier == "local"
      repositories: ["**"]
      actions: [pull]
`;

async function write(text: string, more: Record<string, string> = {}): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'drp.yaml'), text);
  for (const [name, contents] of Object.entries(more)) await writeFile(join(folder, name), contents);
  return join(folder, 'drp.yaml');
}

test('a good file', async () => {
  const file = await write(GOOD);
  expect(await run(['check', '--config', file])).toEqual({
    out: `${file}: good (1 upstream, 1 route, 0 verifiers, 1 rule, 2 files)`,
    error: '',
    exitCode: 0,
  });
  const { out, exitCode } = await run(['check', '--json'], { DRP_CONFIG: file });
  expect(JSON.parse(out)).toMatchObject({ valid: true, file, problems: [] });
  expect(exitCode).toBe(0);
});

test('colours only where somebody looks', async () => {
  const args = ['check', '--config', await write(GOOD)];
  expect((await runOn(args, { env: {}, isInteractive: true })).out).toContain('\u001b[32mgood\u001b[0m');
  expect((await run(args)).out).not.toContain('\u001b');
});

test('a bad file: one line for each problem, and exit code 2', async () => {
  const file = await write(GOOD.replace('path: hub', 'pth: hub').replace('[pull]', '[pul]'));
  expect(await run(['check', '-c', file])).toEqual({
    out: '',
    error: [
      `${file}:5:16: routes[0].match.pth: unknown key; did you mean path?`,
      `${file}:11:17: authorization.rules[0].actions[0]: expected one of pull, push, delete; did you mean pull?`,
    ].join('\n'),
    exitCode: 2,
  });
  const { out, error, exitCode } = await run(['check', '-c', file, '--json']);
  const position = { file, line: 5, column: 16, key: 'routes[0].match.pth' };
  expect(JSON.parse(out)).toMatchObject({ valid: false, problems: [position, { line: 11, column: 17 }] });
  expect({ error, exitCode }).toEqual({ error: '', exitCode: 2 });
});

test('a Docker configuration without a login for the upstream', async () => {
  const auths = { 'other.example.com': { auth: Buffer.from('u:p').toString('base64') } };
  const text = GOOD.replace(
    'docker.io" }',
    'docker.io", credentials: { type: docker-config, file: config.json } }',
  );
  const other = await write(text, { 'config.json': JSON.stringify({ auths }) });
  expect(await run(['check', '-c', other])).toMatchObject({
    error: `${other}:3:89: upstreams.hub.credentials.file: has no login for registry-1.docker.io`,
    exitCode: 2,
  });
  // The helper itself is not run: it may need what is not there yet.
  const helper = await write(text, {
    'config.json': JSON.stringify({ credHelpers: { 'docker.io': 'not-there' } }),
  });
  expect(await run(['check', '-c', helper])).toMatchObject({ exitCode: 0 });
  const odd = await write(text, {
    'config.json': JSON.stringify({ credHelpers: { 'docker.io': '../helper' } }),
  });
  expect((await run(['check', '-c', odd])).error).toMatch(/credentials: .*helper/);
});

test('a file that does not exist', async () => {
  expect(await run(['check', '-c', 'none.yaml'])).toEqual({
    out: '',
    error: 'none.yaml: there is no such file',
    exitCode: 2,
  });
});

test('each credential of a pool is looked into, and named by its place', async () => {
  const pool = `{ type: pool, members: [
    { type: dockerhub, username: acme, passwordFile: good },
    { type: dockerhub, username: acme, passwordFile: empty },
    { type: ghcr, app: { id: a, installation: 1, privateKeyFile: good } },
    { type: docker-config, file: config.json } ] }`;
  const file = await write(GOOD.replace('docker.io" }', `docker.io", credentials: ${pool} }`), {
    good: 'canary',
    empty: '',
    'config.json': '{"auths":{}}',
  });
  const { error, exitCode } = await run(['check', '-c', file]);
  expect(exitCode).toBe(2);
  expect(error).toMatch(/:5:\d+: upstreams\.hub\.credentials\.members\[1\]: .*empty holds no password/);
  expect(error).toMatch(/:6:\d+: upstreams\.hub\.credentials\.members\[2\]: .*good /);
  expect(error).toMatch(/:7:\d+: upstreams\.hub\.credentials\.members\[3\]\.file: has no login for/);
  expect(error).not.toContain('canary');
});

test('expressions, patterns and the contents of files are looked into, all of them', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const text = `server: { tls: { certificateFile: bad, keyFile: key.pem } }
upstreams:
  a: { url: "https://a.example.com", credentials: { type: docker-config, file: bad } }
  b: { url: "https://b.example.com", certificateAuthorityFile: bad }
routes: []
tokens: { signingKeyFile: bad }
authentication:
  verifiers:
    - { name: local, type: htpasswd, file: bad }
authorization:
  rules:
    - { name: good, repositories: ["**"], actions: [pull] }
    - { name: one, when: identity.nam ==, repositories: ["**"], actions: [pull] }
    - name: two
      when: "true"
      repositories: ["a**"]
      actions: [pull]
`;
  const file = await write(text, { bad: 'ada:hunter2\n', 'key.pem': pem });
  const { error, exitCode } = await run(['check', '-c', file]);
  const places = error
    .split('\n')
    .map((line) => /:(\d+):\d+: (\S+):/.exec(line.slice(file.length))?.slice(1).join(' '));
  expect(places).toEqual([
    '1 server.tls.certificateFile',
    '3 upstreams.a.credentials',
    '4 upstreams.b.certificateAuthorityFile',
    '6 tokens.signingKeyFile',
    '9 authentication.verifiers[0].file',
    '13 authorization.rules[1].when',
    '16 authorization.rules[2].repositories',
  ]);
  expect(error).not.toContain('hunter2');
  expect(exitCode).toBe(2);
});
