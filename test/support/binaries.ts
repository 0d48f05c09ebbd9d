import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const PACKAGES = {
  buildah: 'buildah',
  chromium: 'chromium',
  containerd: 'containerd',
  ctr: 'containerd',
  curl: 'curl',
  docker: 'docker.io',
  'docker-registry': 'docker-registry',
  dockerd: 'docker.io',
  nginx: 'nginx-light',
  podman: 'podman',
  skopeo: 'skopeo',
  slapd: 'slapd',
  wrk: 'wrk',
} as const;

/** A program that tests start, and that Debian and Ubuntu have a package for. */
export type BinaryName = keyof typeof PACKAGES;

/**
 * The absolute path of an installed program.
 *
 * @throws Error that names the Debian package when the program is missing
 */
export function findBinary(name: BinaryName): string {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/sbin'];
  // Debian's own docker comes first: it fits the dockerd beside it.
  if (name === 'docker') folders.unshift('/usr/bin');
  for (const folder of folders) {
    const path = join(folder, name);
    if (folder !== '' && isExecutable(path)) return path;
  }
  throw new Error(`${name} is not installed: apt-get install ${PACKAGES[name]}, or run \`make test\``);
}

/** @throws Error for anybody but root, with what to do; dockerd, containerd and podman need it. */
export function requireRoot(program: string): void {
  if (process.getuid?.() === 0) return;
  throw new Error(`${program} has to be started as root: run the end-to-end tests with \`sudo make test\``);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
