import { EventEmitter, once } from 'node:events';
import { mkdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { createConfigWatcher, loadConfig } from '../../src/config/index.ts';
import { optionTypes } from '../../src/core/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

const schema = z.strictObject({ certificates: optionTypes.filesIn('.pem') });

async function setUp(files: Readonly<Record<string, string>>) {
  const folder = await temporaryFolder();
  const path = join(folder, 'drp.yaml');
  await writeFile(path, 'certificates: certs');
  await mkdir(join(folder, 'certs'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, 'certs', name), text);
  return { folder, path, load: () => loadConfig(path, schema, { env: {} }) };
}

const texts = (files: ReadonlyMap<string, Buffer>): string =>
  [...files].map(([name, contents]) => `${name}=${contents}`).join(' ');

test('the files of a folder are read, those with the ending', async () => {
  const { folder, load } = await setUp({
    'b.pem': 'canary two',
    'a.pem': 'canary one',
    'README.md': 'x',
    '.hidden.pem': 'x',
  });
  const { value, files } = await load();
  expect(value.certificates.path).toBe(join(folder, 'certs'));
  expect(texts(value.certificates.files)).toBe('a.pem=canary one b.pem=canary two');
  expect(files).toContain(join(folder, 'certs', 'a.pem'));
  expect(JSON.stringify(value)).not.toContain('canary');
});

test.each([
  [
    'that is missing',
    (folder: string) => rm(join(folder, 'certs'), { recursive: true }),
    'there is no folder',
  ],
  [
    'that is a file',
    async (folder: string) => {
      await rm(join(folder, 'certs'), { recursive: true });
      await writeFile(join(folder, 'certs'), '');
    },
    'there is no folder',
  ],
  ['with a folder in it', (folder: string) => mkdir(join(folder, 'certs', 'x.pem')), 'x.pem is a folder'],
  [
    'with a link to nowhere',
    (folder: string) => symlink('gone', join(folder, 'certs', 'x.pem')),
    'x.pem is gone',
  ],
])('a folder %s is a problem', async (_, change, message) => {
  const { folder, load } = await setUp({});
  await change(folder);
  await expect(load()).rejects.toThrow(message);
});

test('a file that is added, changed or taken away is a new version', async () => {
  const { folder, load } = await setUp({ 'a.pem': '1' });
  const events = new EventEmitter();
  const said: string[] = [];
  const watcher = createConfigWatcher({
    load,
    initial: await load(),
    onChange: ({ value }) => {
      said.push(texts(value.certificates.files));
      events.emit('said');
    },
    onRefused: (error) => {
      throw error;
    },
    debounceMs: 5,
    // Only what is watched counts here.
    pollMs: 3_600_000,
  });
  onTestFinished(() => watcher.close());
  await watcher.ready;
  const until = async (text: string) => {
    while (said.at(-1) !== text) await once(events, 'said');
  };
  const put = async (name: string, text: string) => {
    await writeFile(join(folder, 'new'), text);
    await rename(join(folder, 'new'), join(folder, 'certs', name));
  };
  await put('b.pem', '2');
  await until('a.pem=1 b.pem=2');
  await put('a.pem', '3');
  await until('a.pem=3 b.pem=2');
  await unlink(join(folder, 'certs', 'a.pem'));
  await until('b.pem=2');
});
