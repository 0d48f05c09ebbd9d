import { EventEmitter, once } from 'node:events';
import { mkdir, rename, rm, symlink, unlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import {
  ConfigError,
  type ConfigWatcher,
  type ConfigWatcherOptions,
  createConfigWatcher,
  type LoadedConfig,
  loadConfig,
} from '../../src/config/index.ts';
import { optionTypes } from '../../src/core/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

const schema = z.strictObject({
  name: z.string(),
  secretFile: optionTypes.file.optional(),
  key: optionTypes.optionalFile.prefault('./data/key.json'),
});
type Config = z.infer<typeof schema>;

/** What the watcher said, in order; `next` waits until there is one more. */
interface Watched {
  readonly watcher: ConfigWatcher;
  readonly said: string[];
  next(): Promise<string>;
  /** Waits for this; a file that is written in place is empty for a moment, which may be told before. */
  until(text: string): Promise<void>;
}

async function watch(path: string, options: Partial<ConfigWatcherOptions<Config>> = {}): Promise<Watched> {
  const said: string[] = [];
  const events = new EventEmitter();
  const say = (text: string) => {
    said.push(text);
    events.emit('said');
  };
  let seen = 0;
  const load = () => loadConfig(path, schema, { env: {} });
  const watcher = createConfigWatcher({
    load,
    initial: await load(),
    onChange: ({ value }) =>
      say([value.name, value.secretFile?.text(), value.key.contents && 'with key'].filter(Boolean).join(' ')),
    onRefused: (error) => say(`refused: ${error.message.replaceAll(dirname(path), '')}`),
    debounceMs: 5,
    ...options,
  });
  onTestFinished(() => watcher.close());
  const next = async (): Promise<string> => {
    if (said.length === seen) await once(events, 'said');
    seen += 1;
    return said[seen - 1] ?? '';
  };
  const until = async (text: string): Promise<void> => {
    while ((await next()) !== text);
  };
  await watcher.ready;
  return { watcher, said, next, until };
}

async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

/** Puts a new version into a folder as the kubelet does: nothing changes but where `..data` points. */
async function publish(volume: string, version: string, files: Record<string, string>): Promise<void> {
  const folder = join(volume, `..${version}`);
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text);
    await symlink(join('..data', name), join(volume, name)).catch(() => undefined);
  }
  await symlink(`..${version}`, join(volume, '..data_tmp'));
  await rename(join(volume, '..data_tmp'), join(volume, '..data'));
}

test('a file that is written, or replaced, is read again', async () => {
  const path = join(await temporaryFolder(), 'drp.yaml');
  await writeFile(path, 'name: one');
  const { next, until } = await watch(path);
  await replace(path, 'name: two');
  expect(await next()).toBe('two');
  await writeFile(path, 'name: three');
  await until('three');
  await unlink(path);
  expect(await next()).toBe('refused: /drp.yaml: there is no such file');
  await writeFile(path, 'name: four');
  await until('four');
});

test('a Kubernetes volume is followed through its symbolic links', async () => {
  const volume = await temporaryFolder();
  await publish(volume, 'v1', { 'drp.yaml': 'name: one\nsecretFile: secret', secret: 's1' });
  const { next } = await watch(join(volume, 'drp.yaml'));
  for (const version of [2, 3, 4]) {
    await publish(volume, `v${version}`, {
      'drp.yaml': `name: n${version}\nsecretFile: secret`,
      secret: `s${version}`,
    });
    expect(await next()).toBe(`n${version} s${version}`);
    await rm(join(volume, `..v${version - 1}`), { recursive: true });
  }
});

test('a secret in a volume of its own is followed while the file stays the same', async () => {
  const folder = await temporaryFolder();
  const volume = join(folder, 'secrets');
  await mkdir(volume);
  await publish(volume, 'v1', { password: 's1' });
  await writeFile(join(folder, 'drp.yaml'), 'name: one\nsecretFile: secrets/password');
  const { next } = await watch(join(folder, 'drp.yaml'));
  await publish(volume, 'v2', { password: 's2' });
  expect(await next()).toBe('one s2');
});

test('a folder on the way that is a symbolic link is followed', async () => {
  const folder = await temporaryFolder();
  for (const release of ['r1', 'r2']) {
    await mkdir(join(folder, release));
    await writeFile(join(folder, release, 'drp.yaml'), `name: ${release}`);
  }
  await symlink('r1', join(folder, 'current'));
  const { next } = await watch(join(folder, 'current', 'drp.yaml'));
  await symlink('r2', join(folder, 'new'));
  await rename(join(folder, 'new'), join(folder, 'current'));
  expect(await next()).toBe('r2');
  await replace(join(folder, 'r2', 'drp.yaml'), 'name: again');
  expect(await next()).toBe('again');
});

test('a bad version is refused once, and the next good one is taken', async () => {
  const path = join(await temporaryFolder(), 'drp.yaml');
  await writeFile(path, 'name: one');
  const { next, said, watcher } = await watch(path);
  await replace(path, 'nam: two');
  expect(await next()).toMatch(/^refused: .*nam: unknown key; did you mean name\?$/);
  await utimes(path, 1, 1);
  await replace(path, 'nam: two');
  await replace(path, 'name: three');
  expect(await next()).toBe('three');
  await watcher.close();
  expect(said).toHaveLength(2);
});

test('going back from a bad version to the one in use is told', async () => {
  const path = join(await temporaryFolder(), 'drp.yaml');
  await writeFile(path, 'name: one');
  const { next } = await watch(path);
  await replace(path, 'name: [');
  expect(await next()).toMatch(/^refused/);
  await replace(path, 'name: one');
  expect(await next()).toBe('one');
});

test('a named file that goes, comes back, and one that comes later', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'drp.yaml');
  const secret = join(folder, 'secret');
  await writeFile(secret, 's1');
  await writeFile(path, 'name: one\nsecretFile: secret');
  const { next } = await watch(path);
  await unlink(secret);
  expect(await next()).toBe('refused: /drp.yaml:2:13: secretFile: there is no file /secret');
  await replace(secret, 's2');
  expect(await next()).toBe('one s2');
  await mkdir(join(folder, 'data'));
  await replace(join(folder, 'data', 'key.json'), '{}');
  expect(await next()).toBe('one s2 with key');
});

test('a folder that is removed and made again is watched again', async () => {
  const folder = await temporaryFolder();
  const secrets = join(folder, 'secrets');
  const path = join(folder, 'drp.yaml');
  await mkdir(secrets);
  await writeFile(join(secrets, 's'), 's1');
  await writeFile(path, 'name: one\nsecretFile: secrets/s');
  const { next } = await watch(path);
  await rm(secrets, { recursive: true });
  expect(await next()).toMatch(/^refused/);
  await mkdir(secrets);
  await replace(join(secrets, 's'), 's2');
  expect(await next()).toBe('one s2');
  await replace(join(secrets, 's'), 's3');
  expect(await next()).toBe('one s3');
});

test('a folder that is exchanged for another is watched in its place', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'drp.yaml');
  for (const name of ['secrets', 'other']) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 's'), name);
  }
  await writeFile(path, 'name: one\nsecretFile: secrets/s');
  const { until } = await watch(path);
  await rename(join(folder, 'secrets'), join(folder, 'old'));
  await rename(join(folder, 'other'), join(folder, 'secrets'));
  await until('one other');
  await replace(join(folder, 'secrets', 's'), 's3');
  await until('one s3');
});

test('a change while a version is being read, or taken into use, is not lost', async () => {
  const path = join(await temporaryFolder(), 'drp.yaml');
  await writeFile(path, 'name: one');
  let loads = 0;
  const applied: string[] = [];
  const load = async (): Promise<LoadedConfig<Config>> => {
    loads += 1;
    const loaded = await loadConfig(path, schema, { env: {} });
    if (loads === 2) await replace(path, 'name: three');
    return loaded;
  };
  const done = new EventEmitter();
  const watcher = createConfigWatcher<Config>({
    load,
    initial: await load(),
    onChange: async ({ value }) => {
      applied.push(value.name);
      if (value.name === 'three') await replace(path, 'name: four');
      done.emit(value.name);
    },
    onRefused: (error) => applied.push(error.message),
    debounceMs: 5,
  });
  onTestFinished(() => watcher.close());
  await watcher.ready;
  const four = once(done, 'four');
  await replace(path, 'name: two');
  await four;
  expect(applied).toEqual(['three', 'four']);
});

test('a change between the first load and the watch is not lost', async () => {
  const path = join(await temporaryFolder(), 'drp.yaml');
  await writeFile(path, 'name: one');
  const initial = await loadConfig(path, schema, { env: {} });
  await writeFile(path, 'name: two');
  const { said } = await watch(path, { initial });
  expect(said).toEqual(['two']);
});

test('where no events come, looking from time to time finds the change', async () => {
  const path = join(await temporaryFolder(), 'drp.yaml');
  await writeFile(path, 'name: one');
  const { next } = await watch(path, { debounceMs: 1_000_000, pollMs: 5 });
  await replace(path, 'name: two');
  expect(await next()).toBe('two');
});

test('reload reads again although nothing has changed', async () => {
  const path = join(await temporaryFolder(), 'drp.yaml');
  await writeFile(path, 'name: one');
  const { watcher, said } = await watch(path);
  await watcher.reload();
  await Promise.all([watcher.reload(), watcher.reload()]);
  expect(said).toEqual(['one', 'one', 'one']);
});

test('a version that can not be taken into use is refused, and so is what is no ConfigError', async () => {
  const path = join(await temporaryFolder(), 'drp.yaml');
  await writeFile(path, 'name: one');
  const refused: Error[] = [];
  let fault: Error | undefined;
  const { watcher } = await watch(path, {
    load: async () => {
      if (fault) throw fault;
      return loadConfig(path, schema, { env: {} });
    },
    onChange: () => Promise.reject(new Error('the port is taken')),
    onRefused: (error) => refused.push(error),
  });
  await watcher.reload();
  fault = new TypeError('odd');
  await watcher.reload();
  expect(refused.map(({ message }) => message)).toEqual(['the port is taken', 'odd']);
  expect(refused[0]).not.toBeInstanceOf(ConfigError);
});

test('after close nothing is told any more', async () => {
  const path = join(await temporaryFolder(), 'drp.yaml');
  await writeFile(path, 'name: one');
  const { watcher, said } = await watch(path);
  await watcher.close();
  await replace(path, 'name: two');
  await watcher.reload();
  expect(said).toEqual([]);
});
