import { chown, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findBinary, requireRoot } from '../support/binaries.ts';
import { mustRun, runCommand } from '../support/commands.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts';
import { waitFor } from '../support/wait.ts';

const TOP = join(import.meta.dirname, '../..');
const LIMIT_MS = 1_800_000;
const NPM = 'npm@11.19.1';
const BASE = 'localhost/node';
const IMAGE = 'localhost/docker-registry-proxy:test';
const CONTAINER = 'proxy';
/** Some hosts let nobody raise these, which podman does unless it is told. */
const RUN = ['run', '--network', 'none', '--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];
/** As the containers of deploy/kustomize are run. */
const CONFINED = [
  '--read-only',
  '--read-only-tmpfs=false',
  '--cap-drop',
  'all',
  '--security-opt',
  'no-new-privileges',
];
// Of the password "example".
const USERS = 'staff:$2y$05$hOEKPYo2N2EfhLdzfmdWNeR5HWG2CkkiyuXPLZSRy4Dfc4Vsx8kCe\n';

let folder: TemporaryFolder;
let version: string;

const at = (name: string): string => join(folder.path, name);
const storage = () => ['--root', at('store'), '--runroot', at('run'), '--storage-driver', 'overlay'];
const environment = { BUILDAH_ISOLATION: 'chroot' };

function buildah(...args: readonly string[]): Promise<string> {
  return mustRun(findBinary('buildah'), [...storage(), ...args], {
    home: TOP,
    environment: { ...environment, HOME: folder.path },
    timeoutMs: LIMIT_MS,
  }).then(({ stdout }) => stdout.trim());
}

function podman(...args: readonly string[]) {
  const own = ['--tmpdir', at('tmp'), '--cgroup-manager', 'cgroupfs', '--events-backend', 'none'];
  return runCommand(findBinary('podman'), [...storage(), ...own, ...args], {
    home: folder.path,
    timeoutMs: LIMIT_MS,
  });
}

/** Stands in for Node's own image: a Debian, the Node that the executable is made with, and npm. @returns its digest */
async function buildBase(): Promise<string> {
  const { stdout: node } = await mustRun('make', ['--no-print-directory', 'print-executable-node'], {
    home: TOP,
  });
  const container = await buildah('from', 'scratch');
  const root = await buildah('mount', container);
  await mustRun('cp', ['-a', `${join(TOP, '.cache/systemd-root')}/.`, root], {
    home: TOP,
    timeoutMs: LIMIT_MS,
  });
  await cp(join(TOP, node.trim()), join(root, 'usr/local/bin/node'));
  const authorities = process.env.NODE_EXTRA_CA_CERTS;
  const trust = authorities === undefined ? {} : { NODE_EXTRA_CA_CERTS: authorities };
  await mustRun('npm', ['install', '--global', '--prefix', join(root, 'usr/local'), NPM], {
    home: folder.path,
    environment: trust,
    timeoutMs: LIMIT_MS,
  });
  if (authorities !== undefined) {
    await cp(authorities, join(root, 'usr/local/share/authorities.pem'), { dereference: true });
    await buildah('config', '--env', 'NODE_EXTRA_CA_CERTS=/usr/local/share/authorities.pem', container);
  }
  await buildah('umount', container);
  await buildah('commit', '--quiet', '--rm', container, `${BASE}:24`);
  return buildah('images', '--digests', '--format', '{{.Digest}}', `${BASE}:24`);
}

beforeAll(async () => {
  folder = await createTemporaryFolder('image');
  requireRoot('podman');
  version = (JSON.parse(await readFile(join(TOP, 'package.json'), 'utf8')) as { version: string }).version;
  const names = ['--build-arg', `NODE_IMAGE=${BASE}`, '--build-arg', `NODE_DIGEST=${await buildBase()}`];
  await buildah('build', '--pull-never', ...names, '--file', 'deploy/Dockerfile', '--tag', IMAGE, '.');
}, LIMIT_MS);

afterAll(async () => {
  await podman('rm', '--all', '--force', '--time', '0');
  await buildah('umount', '--all');
  // The storage's own mount, which keeps its folder.
  await runCommand('umount', [at('store/overlay')], { home: TOP });
  await folder.close();
}, LIMIT_MS);

it('is not built without a digest', async () => {
  const image = ['--build-arg', 'NODE_IMAGE=localhost/node:24', '--file', 'deploy/Dockerfile', '.'];
  await expect(buildah('build', '--pull-never', ...image)).rejects.toThrow(/invalid reference/);
});

it('runs the program, and has the one for nodes, with its checksum', async () => {
  const run = async (entrypoint: string[], ...args: string[]) =>
    (await podman(...RUN, '--rm', ...CONFINED, ...entrypoint, IMAGE, ...args)).stdout.trim();
  expect(await run([], '--version')).toBe(version);
  expect(await run(['--entrypoint', '/opt/drp/drp-node'], '--version')).toBe(version);
  const check = ['--workdir', '/opt/drp', '--entrypoint', 'sha256sum'];
  expect(await run(check, '--check', 'drp-node.sha256')).toBe('drp-node: OK');
  // What the installer's pod does when it is done.
  expect(await run(['--entrypoint', 'sleep'], '0')).toBe('');
});

it('serves what the kustomize base configures, as it is confined there', async () => {
  for (const name of ['config', 'secrets', 'data']) await mkdir(at(name));
  await cp(join(TOP, 'deploy/kustomize/base/proxy/drp.yaml'), at('config/drp.yaml'));
  await writeFile(at('secrets/users.htpasswd'), USERS);
  await writeFile(at('secrets/registry-password'), 'canary\n');
  // Kubernetes gives the volume to the group of the pod.
  await chown(at('data'), 65532, 65532);
  const volumes = ['config:/etc/drp:ro', 'secrets:/run/secrets/drp:ro', 'data:/var/lib/drp'];
  const mounts = volumes.flatMap((volume) => ['--volume', at(volume)]);
  const started = await podman(...RUN, '--detach', '--name', CONTAINER, ...CONFINED, ...mounts, IMAGE);
  expect(started).toMatchObject({ code: 0 });

  const script = `
    const answers = [];
    for (const url of ['http://127.0.0.1:5000/v2/', 'http://127.0.0.1:9090/healthz']) answers.push((await fetch(url)).status);
    console.log(answers.join(' '), process.getuid(), process.getgid());`;
  const ask = () => podman('exec', CONTAINER, 'node', '--input-type=module', '-e', script);
  const answer = await waitFor('an answer', async () => {
    const { code, stdout } = await ask();
    return code === 0 ? stdout.trim() : undefined;
  }).catch(async (cause: unknown) => {
    const { stdout, stderr } = await podman('logs', CONTAINER);
    throw new Error(`${stdout}${stderr}`, { cause });
  });
  expect(answer).toBe('401 200 65532 65532');
});
