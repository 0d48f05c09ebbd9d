import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { findBinary } from '../support/binaries.ts';
import { startProcess } from '../support/processes.ts';
import { createTemporaryFolder } from '../support/temporary-folder.ts';

/** What the registry asks of its clients. */
export type RegistryAuthentication =
  | { readonly type: 'htpasswd'; readonly users: string }
  | {
      readonly type: 'token';
      readonly realm: string;
      readonly service: string;
      readonly issuer: string;
      readonly certificatePem: string;
    };

/** How to start a registry. */
export interface DockerRegistryOptions {
  /** Open to everybody when missing. */
  readonly authentication?: RegistryAuthentication;
  /** Makes it a pull-through cache of this registry. */
  readonly proxyOf?: string;
  /** Whether it takes deletes; it does when missing. */
  readonly deletes?: boolean;
}

/** The reference registry, with its content in a temporary folder. */
export interface DockerRegistry {
  /** Such as `http://127.0.0.1:40001`. */
  readonly url: string;
  readonly pid: number;
  logs(): string;
  close(): Promise<void>;
}

/** Starts Debian's docker-registry on a free port. */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const command = findBinary('docker-registry');
  const folder = await createTemporaryFolder('registry');
  const configFile = join(folder.path, 'config.yml');
  await writeFile(
    configFile,
    stringify({
      version: 0.1,
      log: { level: 'info', accesslog: { disabled: true } },
      storage: {
        filesystem: { rootdirectory: join(folder.path, 'content'), maxthreads: 100 },
        delete: { enabled: options.deletes ?? true },
      },
      http: { addr: '127.0.0.1:0', secret: 'not a secret' },
      ...(options.authentication && { auth: await writeAuthentication(folder.path, options.authentication) }),
      ...(options.proxyOf !== undefined && { proxy: { remoteurl: options.proxyOf } }),
    }),
  );
  try {
    const server = await startProcess({
      command,
      arguments: ['serve', configFile],
      logFile: join(folder.path, 'registry.log'),
      ready: async ({ logs }) => {
        const [, address] = /listening on (127\.0\.0\.1:\d+)/.exec(logs()) ?? [];
        if (address === undefined) return undefined;
        const { status } = await fetch(`http://${address}/v2/`);
        return status === 200 || status === 401 ? `http://${address}` : undefined;
      },
    });
    return {
      url: server.ready,
      pid: server.pid,
      logs: server.logs,
      close: async () => {
        await server.close();
        await folder.close();
      },
    };
  } catch (error) {
    await folder.close();
    throw error;
  }
}

async function writeAuthentication(folder: string, authentication: RegistryAuthentication) {
  if (authentication.type === 'htpasswd') {
    const path = join(folder, 'htpasswd');
    await writeFile(path, authentication.users);
    return { htpasswd: { realm: 'registry', path } };
  }
  const rootcertbundle = join(folder, 'token.pem');
  await writeFile(rootcertbundle, authentication.certificatePem);
  const { realm, service, issuer } = authentication;
  return { token: { realm, service, issuer, rootcertbundle } };
}
