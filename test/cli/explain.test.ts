import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../config/temporary-folder.ts';
import { type Ran, run } from './run-program.ts';

const HASH = `$2b$10$${'a'.repeat(53)}`;

const FILE = `
server: { publicUrl: "https://docker.example.com" }
upstreams:
  google: { url: "https://gcr.io" }
  hub: { url: "https://registry-1.docker.io" }
routes:
  - { match: { namespace: docker.io }, upstream: hub }
  - { match: { host: docker.example.com }, upstream: google, repository: "my-gcp-project/{name}", push: true }
authentication:
  anonymous: ANONYMOUS
  verifiers: [VERIFIERS]
authorization:
  rules:
    - { name: nodes, when: 'identity.verifier == "nodes"', repositories: ["**"], actions: [pull] }
    - { name: platform team, when: '"platform" in identity.groups', repositories: ["platform/**"], actions: [pull, push] }
    - { name: main branch, when: 'identity.claims.ref == "main" && identity.claims.run > 5', repositories: ["ci/*"], actions: [push] }
    - { name: public, repositories: ["public/*"], actions: [pull] }
`;
const STAFF = '{ name: staff, type: htpasswd, file: users }';
const NODES = '{ name: nodes, type: htpasswd, file: users }';

async function explain(
  args: readonly string[],
  { anonymous = false, verifiers = [STAFF] } = {},
): Promise<Ran> {
  const folder = await temporaryFolder();
  const file = join(folder, 'drp.yaml');
  await writeFile(join(folder, 'users'), `ada:${HASH}\n`);
  await writeFile(
    file,
    FILE.replace('ANONYMOUS', String(anonymous)).replace('VERIFIERS', verifiers.join(', ')),
  );
  return run(['explain', '--config', file, ...args]);
}

test('allowed: where the name leads, what each rule says, and the verdict', async () => {
  const { out, error, exitCode } = await explain([
    '--user',
    'ada',
    '--group',
    'staff',
    '--group',
    'platform',
    'platform/app',
  ]);
  expect(out.split('\n')).toEqual([
    'request  ada (known to staff) asks to pull platform/app at docker.example.com',
    'route    routes[1], upstream google, there my-gcp-project/platform/app',
    'rules    nodes          no   when is false',
    '         platform team  yes  granted by pattern platform/**',
    expect.stringMatching(/^ {9}main branch {4}no {3}/),
    '         public         no   no pattern of repositories matches',
    'verdict  allowed: by rule platform team',
  ]);
  expect({ error, exitCode }).toEqual({ error: '', exitCode: 0 });
});

test('denied is exit code 1', async () => {
  const { out, exitCode } = await explain(['--user', 'ada', 'platform/app']);
  expect(out).toMatch(/verdict {2}denied: no rule grants it$/);
  expect(exitCode).toBe(1);
});

test('as JSON', async () => {
  const args = [
    '--user',
    'job',
    '--claim',
    'ref=main',
    '--claim',
    'run:=7',
    '--action',
    'push',
    'ci/app',
    '--json',
  ];
  const { out, exitCode } = await explain(args);
  expect(JSON.parse(out)).toMatchObject({
    identity: { verifier: 'staff', name: 'job', groups: [], claims: { ref: 'main', run: 7 } },
    action: 'push',
    repository: 'ci/app',
    route: { index: 1, upstream: 'google', repository: 'my-gcp-project/ci/app' },
    rules: [
      { granted: false },
      { granted: false },
      { rule: 'main branch', granted: true },
      { granted: false },
    ],
    allowed: true,
    reason: 'by rule main branch',
  });
  expect(exitCode).toBe(0);
});

test('a push where the route is read-only is denied, whatever the rules say, and it says what to do', async () => {
  const who = ['--user', 'ada', '--group', 'platform', '--action', 'push'];
  const { out, exitCode } = await explain([...who, '--namespace', 'docker.io', 'platform/app']);
  expect(out).toMatch(/verdict {2}denied: routes\[0\] is read-only: it takes push with push: true$/);
  expect(out).toContain('platform team  yes');
  expect(exitCode).toBe(1);
  expect((await explain([...who, 'platform/app'])).exitCode).toBe(0);
});

test('the verifier can be chosen, and has to be where there are several', async () => {
  const verifiers = [STAFF, NODES];
  expect((await explain(['--user', 'n', '--verifier', 'nodes', 'a/b'], { verifiers })).exitCode).toBe(0);
  expect((await explain(['--user', 'n', '--verifier', 'staff', 'a/b'], { verifiers })).exitCode).toBe(1);
  expect(await explain(['--user', 'n', 'a/b'], { verifiers })).toMatchObject({
    error: 'drp: say which verifier knows the user: --verifier staff, or nodes',
    exitCode: 2,
  });
});

test('namespace and host pick the route', async () => {
  const mirror = await explain(['--user', 'ada', '--namespace', 'docker.io', 'public/app']);
  expect(mirror.out).toContain('routes[0], upstream hub, there public/app');
  const elsewhere = await explain(['--user', 'ada', '--host', 'other.example.com', 'public/app']);
  expect(elsewhere.out).toContain('denied: no route takes this name');
  expect(elsewhere.exitCode).toBe(1);
});

test('anonymous is denied where it is switched off, whatever the rules say', async () => {
  const off = await explain(['--anonymous', 'public/app']);
  expect(off.out).toContain('yes  granted by pattern public/*');
  expect(off.out).toContain('denied: authentication.anonymous is false');
  expect(off.exitCode).toBe(1);
  const on = await explain(['--anonymous', 'public/app'], { anonymous: true });
  expect(on.out).toContain('allowed: by rule public');
  expect(on.exitCode).toBe(0);
});

describe('a question that makes no sense is one line and exit code 2', () => {
  test.each([
    [['a/b'], 'say who asks: --user NAME or --anonymous'],
    [['--anonymous', '--group', 'x', 'a/b'], '--anonymous takes no --user, --verifier, --group or --claim'],
    [['--user', 'ada', 'a/b:latest'], 'a/b:latest is not a repository name: leave out host, tag and digest'],
    [['--user', 'ada', '--action', 'pul', 'a/b'], '--action takes pull, push, delete, not pul'],
    [['--user', 'ada', '--verifier', 'stff', 'a/b'], 'there is no verifier stff; did you mean staff?'],
    [['--user', 'ada', '--claim', 'ref', 'a/b'], '--claim takes key=value or key:=json, not ref'],
    [['--user', 'ada', '--claim', 'n:=x', 'a/b'], `--claim n:= takes JSON, such as n:=true or n:='["a"]'`],
  ])('%j', async (args, line) => {
    expect(await explain(args)).toEqual({ out: '', error: `drp: ${line}`, exitCode: 2 });
  });

  test('a user where nobody can log in', async () => {
    const { error } = await explain(['--user', 'ada', 'a/b'], { verifiers: [] });
    expect(error).toBe('drp: the file has no verifier: only --anonymous makes sense');
  });
});

test('a bad configuration is told like by check', async () => {
  const { error, exitCode } = await run(['explain', '--config', 'none.yaml', '--anonymous', 'a/b']);
  expect({ error, exitCode }).toEqual({ error: 'none.yaml: there is no such file', exitCode: 2 });
});

test('--verbose: who is asked about the login, and why the others are not', async () => {
  const verifiers = [
    '{ name: nodes, type: htpasswd, file: users, username: _nodes }',
    '{ name: staff, type: htpasswd, file: users }',
    '{ name: ci, type: jwt, issuer: "https://ci.example.com", audience: x }',
    '{ name: other, type: htpasswd, file: users }',
  ];
  const ask = (user: string) =>
    explain(['--user', user, '--verifier', 'staff', '--verbose', 'public/app'], { verifiers });
  const lines = (await ask('ada')).out.split('\n').map((line) => line.replace(/ +/g, ' ').trim());
  expect(lines.slice(2, 6)).toEqual([
    'login nodes htpasswd not asked only for the user name _nodes',
    'staff htpasswd asked as number 1, until one knows the login',
    'ci jwt not asked only for tokens of https://ci.example.com',
    'other htpasswd asked as number 2, until one knows the login',
  ]);
  const picked = (await ask('_nodes')).out;
  expect(picked).toMatch(/nodes +htpasswd +asked +alone: the user name picks it/);
  expect(picked).toMatch(/staff +htpasswd +not asked +the user name picks nodes/);
  expect((await explain(['--user', 'ada', 'public/app'])).out).not.toContain('login');
});
