import { randomBytes } from 'node:crypto';
import { chmod, cp, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Clock, FileReference, FolderReference, Secret, systemClock } from '../../src/core/index.ts';
import type { CredentialOptions } from '../../src/credentials/index.ts';
import { type AuthConfig, authConfig } from '../../src/kubelet/image-service/auth-config.ts';
import {
  type CredentialOrder,
  createPullCredentials,
  pullCredentialOptions,
} from '../../src/kubelet/image-service/credentials/index.ts';
import { createDockerBackend } from '../../src/kubelet/image-service/docker/docker-backend.ts';
import { dockerBackendOptions } from '../../src/kubelet/image-service/docker/index.ts';
import type { CredentialSource } from '../../src/kubelet/image-service/image-service.ts';
import { createLogger } from '../../src/telemetry/index.ts';
import { type Caller, createCaller } from '../kubelet/image-service/docker/backend.ts';
import { startDockerd } from '../servers/index.ts';
import { pushImage } from '../support/images.ts';
import { startProcess } from '../support/processes.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { useResources } from '../support/resources.ts';
import { createTemporaryFolder } from '../support/temporary-folder.ts';
import { ALICE, htpasswdLine, SITE_FILES, siteConfiguration, startPrivateRegistry } from './site.ts';

/** Somebody with a token for a password. */
const ROBOT = { username: 'robot', password: 'a-token-without-spaces' };

describe('pulls of a real Docker Engine without imagePullSecrets', () => {
  const keep = useResources();
  const wrong: CredentialOptions = {
    type: 'static',
    username: ALICE.username,
    password: new Secret('not hers'),
  };
  let proxy: RunningProxy;
  let caller: Caller;
  let folder: string;
  let plugins: string;

  beforeAll(async () => {
    const registry = keep(await startPrivateRegistry());
    await pushImage(registry, 'acme/team/app', 'v1');
    await pushImage(registry, 'acme/public/app', 'v1');
    const rule = {
      name: 'robot',
      when: 'identity.name == "robot"',
      repositories: ['team/**'],
      actions: ['pull'],
    };
    const users = SITE_FILES['users.htpasswd'] + htpasswdLine(ROBOT);
    proxy = keep(
      await startProxy(siteConfiguration(registry, { rules: [rule] }), {
        files: { ...SITE_FILES, 'users.htpasswd': users },
      }),
    );
    const engine = keep(await startDockerd());
    const options = dockerBackendOptions.parse({ type: 'docker', socket: engine.socket });
    caller = createCaller(keep(createDockerBackend(options, { clock: systemClock })));
    const temporary = keep(await createTemporaryFolder('providers'));
    folder = temporary.path;
    // The examples, with the credential of this proxy in their directory.
    plugins = join(folder, 'plugins');
    await cp('examples/plugins', plugins, { recursive: true });
    await symlink(resolve('node_modules'), join(folder, 'node_modules'));
    await writeFile(join(plugins, 'directory/credentials.json'), JSON.stringify({ [proxy.host]: ALICE }));
  });

  async function loaded(name: string, content: string): Promise<FileReference> {
    const path = join(folder, name);
    await writeFile(path, content);
    const reference = new FileReference(path);
    reference.resolve(path, Buffer.from(content));
    return reference;
  }

  /** Pulls an image that is not there yet, and tells what was tried. */
  async function pull(
    provider: CredentialOptions,
    order: CredentialOrder,
    more: { readonly shown?: AuthConfig; readonly image?: string; readonly clock?: Clock } = {},
  ): Promise<CredentialSource[]> {
    const { shown, image = 'team/app:v1', clock = systemClock } = more;
    const reference = `${proxy.host}/${image}`;
    await caller.remove(reference);
    const [rule] = pullCredentialOptions.parse([
      { images: [`${proxy.host}/**`], order, provider: { type: 'anonymous' } },
    ]);
    const rules = rule ? [{ ...rule, provider }] : [];
    const credentials = createPullCredentials(rules, { clock, log: createLogger('silent') });
    const tried: CredentialSource[] = [];
    const { signal } = new AbortController();
    try {
      const id = await credentials.pull(
        reference,
        shown,
        ({ auth, source }) => {
          tried.push(source);
          return caller.pull(reference, auth, signal);
        },
        { signal },
      );
      expect((await caller.status(reference)).image?.id).toBe(id);
      return tried;
    } finally {
      await credentials.close();
    }
  }

  const common = { concurrency: 8, timeout: 9000 };
  const providers: Readonly<Record<string, () => Promise<CredentialOptions>>> = {
    static: async () => ({
      type: 'static',
      username: ALICE.username,
      passwordFile: await loaded('password', `${ALICE.password}\n`),
    }),
    'docker-config': async () => {
      const auth = Buffer.from(`${ALICE.username}:${ALICE.password}`).toString('base64');
      return {
        type: 'docker-config',
        helperEnvironment: [],
        file: await loaded('config.json', JSON.stringify({ auths: { [proxy.host]: { auth } } })),
      };
    },
    'token-file': async () => ({
      type: 'token-file',
      username: ROBOT.username,
      tokenFile: await loaded('token', `${ROBOT.password}\n`),
    }),
    pool: async () => ({
      type: 'pool',
      members: [wrong, { type: 'static', username: ALICE.username, password: new Secret(ALICE.password) }],
    }),
    webhook: async () => {
      const secret = randomBytes(32).toString('base64url');
      const secretFile = await loaded('webhook-secret', secret);
      const { ready } = keep(
        await startProcess({
          command: process.execPath,
          arguments: [join(plugins, 'webhook/server.mjs')],
          environment: { ...process.env, SECRET_FILE: join(folder, 'webhook-secret'), PORT: '0' },
          logFile: join(folder, 'webhook.log'),
          ready: ({ logs }) => /listening on (\S+)/.exec(logs())?.[1],
        }),
      );
      return { type: 'webhook', url: `${ready}/drp`, secretFile, ...common };
    },
    exec: async () => ({
      type: 'exec',
      command: ['/usr/bin/python3', join(plugins, 'exec/plugin.py')],
      environment: [],
      ...common,
    }),
    module: async () => {
      const file = new FileReference('plugin.mjs');
      file.resolve(join(plugins, 'module/plugin.mjs'), Buffer.from('as it is'));
      return { type: 'module', file, options: {}, ...common };
    },
    grpc: async () => {
      const address = `unix://${join(folder, 'plugin.sock')}`;
      keep(
        await startProcess({
          command: process.execPath,
          arguments: [join(plugins, 'grpc/server.mjs'), address],
          logFile: join(folder, 'grpc.log'),
          ready: ({ logs }) => /listening on (\S+)/.exec(logs())?.[1],
        }),
      );
      return { type: 'grpc', address, ...common };
    },
    'kubelet-plugins': async () => {
      const apiVersion = 'credentialprovider.kubelet.k8s.io/v1';
      const answer = { kind: 'CredentialProviderResponse', apiVersion, cacheKeyType: 'Registry' };
      const text = JSON.stringify({ ...answer, auth: { [proxy.host]: ALICE } });
      await writeFile(join(folder, 'plugin'), `#!/bin/sh\ncat >/dev/null\nprintf '%s' '${text}'\n`);
      await chmod(join(folder, 'plugin'), 0o755);
      const entry = { name: 'plugin', matchImages: [proxy.host], defaultCacheDuration: '1h', apiVersion };
      const kind = { apiVersion: 'kubelet.config.k8s.io/v1', kind: 'CredentialProviderConfig' };
      const binaryDirectory = new FolderReference('plugins');
      binaryDirectory.resolve(folder);
      return {
        type: 'kubelet-plugins',
        configFile: await loaded('plugins.json', JSON.stringify({ ...kind, providers: [entry] })),
        binaryDirectory,
      };
    },
  };

  it.each(Object.entries(providers))('with the provider %s', async (type, options) => {
    const tried = await pull(await options(), 'kubelet-first');
    expect(tried).toEqual(type === 'pool' ? ['provider', 'provider'] : ['provider']);
  });

  it('under provider-only shows no credential of kubelet, and says what Docker Engine says', async () => {
    const shown = authConfig(ALICE);
    await expect(pull(wrong, 'provider-only', { shown })).rejects.toThrow(/unauthorized/);
  });

  it('still pulls what is public when the credential is wrong', async () => {
    expect(await pull(wrong, 'kubelet-first', { image: 'public/app:v1' })).toEqual(['provider', 'none']);
  });

  it('gets no further for a tag that does not exist', async () => {
    const options = await (providers.static as () => Promise<CredentialOptions>)();
    await expect(pull(options, 'provider-first', { image: 'team/app:v9' })).rejects.toThrow(
      /not found|manifest unknown/,
    );
  });

  it('with a provider that hangs goes on without it', async () => {
    const hanging: CredentialOptions = {
      type: 'exec',
      command: ['/bin/sleep', '1000'],
      environment: [],
      ...common,
      timeout: 60_000,
    };
    // Ten seconds in one.
    const clock: Clock = {
      now: systemClock.now,
      sleep: (milliseconds, signal) => systemClock.sleep(milliseconds / 10, signal),
    };
    expect(await pull(hanging, 'kubelet-first', { image: 'public/app:v1', clock })).toEqual(['none']);
    await expect(pull(hanging, 'provider-only', { image: 'public/app:v1', clock })).rejects.toThrow(
      /the exec provider failed: gave no answer within 10 s/,
    );
  });
});
