import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Containerd, Dockerd } from '../servers/index.ts';
import { findBinary, requireRoot } from '../support/binaries.ts';
import { type CommandResult, runCommand } from '../support/commands.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts';

const CLIENT_TIMEOUT_MS = 110_000;

/** A user name and a password. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** A client program with a home of its own. */
export interface Client {
  readonly home: string;
  run(...args: readonly string[]): Promise<CommandResult>;
  close(): Promise<void>;
}

/** The docker command of one user. */
export interface DockerClient extends Client {
  login(host: string, login: Login): Promise<CommandResult>;
  /** Pulls after removing what a test before has left of the image. */
  pull(image: string): Promise<CommandResult>;
  /** The digests that the engine knows an image by. */
  digests(image: string): Promise<string[]>;
  /** What config.json holds for a registry. */
  storedLogin(host: string): Promise<StoredLogin | undefined>;
}

export interface StoredLogin {
  readonly auth?: string;
  readonly identitytoken?: string;
}

export async function createDockerClient(engine: Dockerd): Promise<DockerClient> {
  const client = await createClient(findBinary('docker'), [], { DOCKER_HOST: engine.host });
  return {
    ...client,
    login: (host, { username, password }) =>
      client.runWithInput(password, 'login', '--username', username, '--password-stdin', host),
    pull: async (image) => {
      await client.run('image', 'rm', '--force', image);
      return client.run('pull', image);
    },
    digests: async (image) => {
      const { stdout } = await client.run('image', 'inspect', '--format', '{{json .RepoDigests}}', image);
      return (JSON.parse(stdout) as string[]).map((name) => name.slice(name.indexOf('@') + 1));
    },
    storedLogin: async (host) => {
      const text = await readFile(join(client.home, '.docker/config.json'), 'utf8');
      return (JSON.parse(text) as { auths?: Record<string, StoredLogin> }).auths?.[host];
    },
  };
}

/** The ctr command; images are pulled into containerd's content store and unpacked. */
export async function createCtr(containerd: Containerd): Promise<Client> {
  return createClient(findBinary('ctr'), ['--address', containerd.socket]);
}

export async function createSkopeo(): Promise<Client> {
  return createClient(findBinary('skopeo'), []);
}

/** Podman with storage in its home. */
export async function createPodman(): Promise<Client> {
  requireRoot('podman');
  const folder = await createTemporaryFolder('client');
  const path = (name: string) => join(folder.path, name);
  const storage = ['--root', path('root'), '--runroot', path('run'), '--tmpdir', path('tmp')];
  return createClient(
    findBinary('podman'),
    [...storage, '--storage-driver', 'vfs', '--events-backend', 'none', '--cgroup-manager', 'cgroupfs'],
    {},
    folder,
  );
}

/** Buildah with storage in its home. */
export async function createBuildah(): Promise<Client> {
  requireRoot('buildah');
  const folder = await createTemporaryFolder('client');
  const storage = ['--root', join(folder.path, 'root'), '--runroot', join(folder.path, 'run')];
  return createClient(findBinary('buildah'), [...storage, '--storage-driver', 'vfs'], {}, folder);
}

async function createClient(
  command: string,
  firstArguments: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  folder?: TemporaryFolder,
) {
  const home = folder ?? (await createTemporaryFolder('client'));
  // Podman and skopeo keep logins there, but only when it exists.
  await mkdir(join(home.path, '.run'), { mode: 0o700 });
  const runWithInput = (input: string, ...args: readonly string[]) =>
    runCommand(command, [...firstArguments, ...args], {
      home: home.path,
      environment,
      input,
      timeoutMs: CLIENT_TIMEOUT_MS,
    });
  return {
    home: home.path,
    runWithInput,
    run: (...args: readonly string[]) => runWithInput('', ...args),
    close: home.close,
  };
}
