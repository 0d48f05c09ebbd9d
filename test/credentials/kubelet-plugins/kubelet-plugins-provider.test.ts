import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FolderReference, Secret } from '../../../src/core/index.ts';
import { createCredentialProvider } from '../../../src/credentials/index.ts';
import { createKubeletPluginsProvider } from '../../../src/credentials/kubelet-plugins/index.ts';
import { createLogger } from '../../../src/telemetry/index.ts';
import { waitFor } from '../../support/wait.ts';
import { loadedFile } from '../loaded-file.ts';
import { describeProvider } from '../provider-suite.ts';

const API = 'credentialprovider.kubelet.k8s.io/v1';
const { signal } = new AbortController();
const folder = mkdtempSync(join(tmpdir(), 'drp-kubelet-plugins-'));
afterAll(() => rmSync(folder, { recursive: true }));
let folders = 0;

interface Made {
  /** Lines of shell; the question is in `$question`, the own folder in `$own`. */
  readonly script: string;
  readonly matchImages?: readonly string[];
  readonly entry?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** Plugins in a folder of their own, named plugin-0 and on. */
function makePlugins(...made: readonly Made[]) {
  folders += 1;
  const own = mkdtempSync(join(folder, `${folders}-`));
  const providers = made.map(({ script, matchImages = ['*.example.com'], entry }, index) => {
    const path = join(own, `plugin-${index}`);
    const counted = `#!/bin/sh\nown='${own}'\nquestion=$(cat)\nprintf 'x' >>"$own/runs-${index}"\n${script}\n`;
    writeFileSync(path, counted);
    chmodSync(path, 0o755);
    return { name: `plugin-${index}`, matchImages, defaultCacheDuration: '1h', apiVersion: API, ...entry };
  });
  const config = { kind: 'CredentialProviderConfig', apiVersion: 'kubelet.config.k8s.io/v1', providers };
  const binaryDirectory = new FolderReference('plugins');
  binaryDirectory.resolve(own);
  const lines: string[] = [];
  const log = createLogger('warn', { write: (line) => void lines.push(line) });
  let time = 1_000_000;
  const clock = { now: () => time, sleep: () => Promise.resolve() };
  const options = {
    type: 'kubelet-plugins' as const,
    configFile: loadedFile(JSON.stringify(config)),
    binaryDirectory,
  };
  const env = { PATH: '/usr/bin:/bin', ...made[0]?.env };
  const provider = createKubeletPluginsProvider(options, { clock, log, env });
  return {
    own,
    options,
    provider,
    lines,
    advance: (milliseconds: number) => {
      time += milliseconds;
    },
    runs: (index = 0) => {
      try {
        return readFileSync(join(own, `runs-${index}`), 'utf8').length;
      } catch {
        return 0;
      }
    },
    ask: async (image = 'docker.example.com/team/app:v1', more = {}) => {
      const registry = image.split('/')[0] ?? '';
      const credential = await provider.credential({ registry, image, signal, ...more });
      return credential && `${credential.username}:${credential.password.reveal()}`;
    },
  };
}

/** A line of shell that answers. */
function answering(auth: unknown, more: Readonly<Record<string, unknown>> = {}): string {
  const answer = {
    kind: 'CredentialProviderResponse',
    apiVersion: API,
    cacheKeyType: 'Registry',
    auth,
    ...more,
  };
  return `printf '%s' '${JSON.stringify(answer)}'`;
}

const login = (username: string, password = 'p') => ({ '*.example.com': { username, password } });

describeProvider('kubelet-plugins', {
  type: 'kubelet-plugins',
  create: () => {
    const { options } = makePlugins({ script: answering(login('acme', 'canary-k')) });
    return createCredentialProvider(options, {
      clock: { now: () => 0, sleep: () => Promise.resolve() },
      log: createLogger('silent'),
    });
  },
  registry: 'docker.example.com',
  expected: { username: 'acme', password: 'canary-k' },
});

describe('a plugin', () => {
  it('is asked in its own version, about the image as kubelet names it', async () => {
    const { ask, own } = makePlugins({
      matchImages: ['docker.io', '*.example.com'],
      script: `printf '%s' "$question" >"$own/question"; ${answering({ 'docker.io': { username: 'u', password: 'p' } })}`,
    });
    expect(await ask('nginx:1.27')).toBe('u:p');
    expect(JSON.parse(readFileSync(join(own, 'question'), 'utf8'))).toEqual({
      kind: 'CredentialProviderRequest',
      apiVersion: API,
      image: 'docker.io/library/nginx',
    });
  });

  it('gets its arguments as they are, and its variables on top of ours', async () => {
    const { ask, own } = makePlugins({
      script: `printf '%s|' "$@" >"$own/args"; echo "$INHERITED $OWN $BOTH" >"$own/env"; ${answering(login('u'))}`,
      entry: {
        args: ['get', '$(touch x); `id`', ''],
        env: [
          { name: 'OWN', value: 'own' },
          { name: 'BOTH', value: 'of the plugin' },
        ],
      },
      env: { INHERITED: 'inherited', BOTH: 'ours' },
    });
    await ask();
    expect(readFileSync(join(own, 'args'), 'utf8')).toBe('get|$(touch x); `id`||');
    expect(readFileSync(join(own, 'env'), 'utf8')).toBe('inherited own of the plugin\n');
  });

  it('whose patterns do not mean the image is not started', async () => {
    const { ask, runs } = makePlugins({ script: answering(login('u')) });
    expect(await ask('quay.io/app')).toBeUndefined();
    expect(runs()).toBe(0);
  });

  it('has no credential: the next one that matches is asked', async () => {
    const { ask } = makePlugins({ script: answering({}) }, { script: answering(login('second')) });
    expect(await ask()).toBe('second:p');
  });

  it('fails: the next one is asked; when none has any, it is an error', async () => {
    const { ask, lines } = makePlugins(
      { script: 'echo broken >&2; exit 3' },
      { script: answering(login('second')) },
    );
    expect(await ask()).toBe('second:p');
    expect(lines.join()).toMatch(/plugin-0 ended with exit code 3/);
    const { ask: alone } = makePlugins({ script: 'exit 3' }, { script: answering(null) });
    await expect(alone()).rejects.toThrow('the plugin plugin-0 ended with exit code 3');
  });

  it('gives several: the longest key that means the image counts', async () => {
    const auth = {
      'docker.example.com': { username: 'host', password: 'p' },
      'docker.example.com/team': { username: 'team', password: 'p' },
      '*.example.com': { username: 'wild', password: 'p' },
      'not a key': { username: 'none', password: 'p' },
    };
    const { ask } = makePlugins({ script: answering(auth) });
    expect(await ask('docker.example.com/team/app')).toBe('team:p');
    expect(await ask('docker.example.com/other')).toBe('host:p');
    expect(await ask('quay.example.com/other')).toBe('wild:p');
  });
});

describe('an answer holds', () => {
  it.each([
    ['Image', 3],
    ['Registry', 2],
    ['Global', 1],
  ])('for its cacheKeyType %s', async (cacheKeyType, expected) => {
    const { ask, runs } = makePlugins({ script: answering(login('u'), { cacheKeyType }) });
    await ask('docker.example.com/a:v1');
    await ask('docker.example.com/a:v2');
    await ask('docker.example.com/b');
    await ask('quay.example.com/a');
    expect(runs()).toBe(expected);
  });

  it.each([
    ['what the answer says', { cacheDuration: '10m0s' }, 600_000],
    ['what the configuration says', {}, 3_600_000],
    ['what the configuration says, when it is null', { cacheDuration: null }, 3_600_000],
  ])('for %s', async (_case, more, duration) => {
    const { ask, runs, advance, provider } = makePlugins({ script: answering(login('u'), more) });
    await ask();
    advance(duration - 1);
    await ask();
    expect(runs()).toBe(1);
    advance(1);
    await ask();
    expect(runs()).toBe(2);
    const credential = await provider.credential({ registry: 'docker.example.com', signal });
    expect(credential?.expiresAt).toBe(
      'cacheDuration' in more && more.cacheDuration ? 1_000_000 + 2 * duration : undefined,
    );
  });

  it('not at all when the duration is 0', async () => {
    const { ask, runs } = makePlugins({ script: answering(login('u'), { cacheDuration: '0s' }) });
    await ask();
    await ask();
    expect(runs()).toBe(2);
  });

  it('also when it says that there is no credential', async () => {
    const { ask, runs } = makePlugins({ script: answering(null) });
    expect(await ask()).toBeUndefined();
    expect(await ask()).toBeUndefined();
    expect(runs()).toBe(1);
  });

  it('until its credential is turned away', async () => {
    const script = `if [ "$(cat "$own/runs-0")" = x ]; then ${answering(login('old'))}; else ${answering(login('new'))}; fi`;
    const { ask, provider } = makePlugins({ script });
    expect(await ask()).toBe('old:p');
    const old = await provider.credential({ registry: 'docker.example.com', signal });
    if (old) provider.discard?.(old);
    expect(await ask()).toBe('new:p');
  });

  it('for all that ask at once', async () => {
    const { ask, runs } = makePlugins({ script: answering(login('u')) });
    await Promise.all(Array.from({ length: 20 }, () => ask()));
    expect(runs()).toBe(1);
  });
});

describe('a plugin that goes wrong', () => {
  it.each([
    ['crashes', 'kill -SEGV $$', /ended with SIGSEGV/],
    ['fails', 'exit 1', /ended with exit code 1/],
    ['answers nothing', '', /answered 0 bytes that are not JSON/],
    ['answers nonsense', "echo 'password=canary-nonsense'", /answered \d+ bytes that are not JSON/],
    ['answers something else', 'echo \'{"password":"canary"}\'', /wrong kind/],
    ['answers a list', "echo '[]'", /something else/],
    ['answers in another version', answering({}, { apiVersion: `${API}beta1` }), /another apiVersion/],
    ['answers for an unknown reach', answering({}, { cacheKeyType: 'Cluster' }), /wrong cacheKeyType/],
    ['answers for an unknown time', answering({}, { cacheDuration: 'long' }), /wrong cacheDuration/],
    ['answers with a list of logins', answering([{ username: 'canary' }]), /wrong auth/],
    ['floods', 'yes canary-flood', /wrote more than 1048576 bytes/],
  ])(
    'because it %s is an error that says so, and nothing of what it wrote',
    async (_case, script, message) => {
      const { ask, lines } = makePlugins({ script });
      const error: unknown = await ask().catch((reason: unknown) => reason);
      expect(String(error)).toMatch(message);
      expect(String(error) + lines.join()).not.toContain('canary');
    },
  );

  it('repeats a key of its own variables: the log leaves that line out', async () => {
    const env = [
      { name: 'CLIENT_SECRET', value: 'canary' },
      { name: 'PROXY', value: 'http://u:canary@proxy' },
      { name: 'REGION', value: 'eu-west-1' },
    ];
    const script = 'for text in "$CLIENT_SECRET" "$PROXY" "in $REGION"; do echo "$text" >&2; done; exit 1';
    const { ask, lines, provider } = makePlugins({ script, entry: { env } });
    await expect(ask()).rejects.toThrow();
    await provider.close();
    expect(lines.join()).toContain('in eu-west-1');
    expect(lines.join()).not.toContain('canary');
  });

  it('is missing: says where it was looked for', async () => {
    const { ask, own } = makePlugins({ script: '' });
    rmSync(join(own, 'plugin-0'));
    await expect(ask()).rejects.toThrow(`the plugin plugin-0 can't be run: spawn ${own}/plugin-0 ENOENT`);
  });

  it('hangs: whoever asks may leave, and takes nobody along', async () => {
    const script = `while [ ! -e "$own/go" ]; do sleep 0.02; done; ${answering(login('late'))}`;
    const { ask, runs, own } = makePlugins({ script });
    const leaving = new AbortController();
    const left = ask(undefined, { signal: leaving.signal });
    left.catch(() => undefined);
    const staying = ask();
    await waitFor('the plugin', () => runs() || undefined);
    leaving.abort(new Error('no longer'));
    await expect(left).rejects.toThrow('no longer');
    writeFileSync(join(own, 'go'), '');
    expect(await staying).toBe('late:p');
    expect(runs()).toBe(1);
  });

  it('hangs: it ends when the provider is closed', async () => {
    const { ask, own, provider } = makePlugins({
      script: 'echo $$ >"$own/pid.new"; mv "$own/pid.new" "$own/pid"; exec sleep 1000',
    });
    const asking = ask();
    asking.catch(() => undefined);
    const pid = await waitFor('the plugin', () => Number(readFileSync(join(own, 'pid'), 'utf8')));
    await provider.close();
    await expect(asking).rejects.toThrow('the plugin plugin-0 is closed');
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('is asked anew after a failure', async () => {
    const script = `if [ "$(cat "$own/runs-0")" = x ]; then exit 1; else ${answering(login('u'))}; fi`;
    const { ask } = makePlugins({ script });
    await expect(ask()).rejects.toThrow();
    expect(await ask()).toBe('u:p');
  });
});

describe("a pod's token", () => {
  const tokenFor = (aud: unknown) =>
    new Secret(`e30.${Buffer.from(JSON.stringify({ aud })).toString('base64url')}.c2ln`);
  const echoing = `printf '%s' "$question" >"$own/question"; ${answering(login('u'))}`;
  const wanting = (more = {}) => ({
    script: echoing,
    entry: { tokenAttributes: { serviceAccountTokenAudience: 'docker.example.com', ...more } },
  });
  const questionIn = (own: string) => readFileSync(join(own, 'question'), 'utf8');

  it('is handed on to a plugin that it was made for', async () => {
    const { ask, own } = makePlugins(wanting());
    const serviceAccountToken = tokenFor(['docker.example.com']);
    await ask(undefined, { serviceAccountToken });
    expect(JSON.parse(questionIn(own))).toMatchObject({ serviceAccountToken: serviceAccountToken.reveal() });
  });

  it.each([
    ['one that wants none', { script: echoing }, 'docker.example.com'],
    ['one that wants another audience', wanting(), 'https://kubernetes.default.svc'],
  ])('is not handed on to %s', async (_case, made, audience) => {
    const { ask, own } = makePlugins(made);
    await ask(undefined, { serviceAccountToken: tokenFor(audience) });
    expect(questionIn(own)).not.toContain('serviceAccountToken');
  });

  it('is what a plugin needs: without one it is not started', async () => {
    const { ask, runs } = makePlugins(wanting({ requireServiceAccount: true }));
    expect(await ask()).toBeUndefined();
    expect(await ask(undefined, { serviceAccountToken: new Secret('nonsense') })).toBeUndefined();
    expect(runs()).toBe(0);
    expect(await ask(undefined, { serviceAccountToken: tokenFor('docker.example.com') })).toBe('u:p');
  });

  it('gets no answer that was made for another', async () => {
    const { ask, runs } = makePlugins(wanting());
    await ask(undefined, { serviceAccountToken: tokenFor(['docker.example.com', 'a']) });
    await ask(undefined, { serviceAccountToken: tokenFor(['docker.example.com', 'b']) });
    await ask(undefined, { serviceAccountToken: tokenFor(['docker.example.com', 'a']) });
    expect(runs()).toBe(2);
  });
});
