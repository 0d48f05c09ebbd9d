import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EXAMPLE } from '../../src/config/example.ts';
import { generatedFiles } from '../../src/config/generated-files.ts';
import { loadConfig } from '../../src/config/index.ts';
import { proxyOptions } from '../../src/proxy/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

const TOP = join(import.meta.dirname, '../..');

test.each([...generatedFiles()])(
  '%s is up to date: npm run build && node dist/config/generate.js',
  async (path, text) => {
    expect(await readFile(join(TOP, path), 'utf8')).toBe(text);
  },
);

test('the example of the reference page can be used', async () => {
  const folder = await temporaryFolder();
  for (const name of ['tls.crt', 'tls.key', 'hub', 'config.json', 'users.htpasswd']) {
    await writeFile(join(folder, name), '');
  }
  await mkdir(join(folder, 'images'));
  const path = join(folder, 'drp.yaml');
  await writeFile(path, EXAMPLE.replace('/run/secrets/hub', 'hub'));
  const { value } = await loadConfig(path, proxyOptions, { env: { QUAY_PASSWORD: 'hunter2' } });
  expect(Object.keys(value)).toEqual(Object.keys(proxyOptions.shape));
  expect(value.routes).toHaveLength(4);
});

interface Schema {
  readonly type?: string;
  readonly title?: string;
  readonly additionalProperties?: unknown;
  readonly properties?: Record<string, Schema>;
  readonly [key: string]: unknown;
}

describe('the JSON Schema', () => {
  const schema = JSON.parse(generatedFiles().get('schema/drp.schema.json') ?? '') as Schema;
  const all = (node: unknown): Schema[] =>
    typeof node !== 'object' || node === null
      ? []
      : [...(Array.isArray(node) ? [] : [node as Schema]), ...Object.values(node).flatMap(all)];

  test('refuses unknown keys everywhere', () => {
    const open = all(schema).filter(
      (node) => node.type === 'object' && node.additionalProperties === undefined,
    );
    expect(open).toEqual([]);
  });

  test('knows which texts are files, folders, durations and secrets', () => {
    const titles = all(schema).flatMap(({ title }) => (typeof title === 'string' ? [title] : []));
    expect(new Set(titles.slice(1))).toEqual(
      new Set(['File', 'Folder', 'Duration', 'Secret', 'Text or list', 'Credentials']),
    );
  });
});

test('the reference page has a section for each key at the top, and tells of every key', () => {
  const page = generatedFiles().get('docs/configuration.md') ?? '';
  const sections = [...page.matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
  expect(sections.slice(1)).toEqual(Object.keys(proxyOptions.shape));
  for (const key of ['match.namespace', 'tls.keyFile', 'passwordFile', 'signingKeyFile']) {
    expect(page).toContain(`| \`${key}\` |`);
  }
});
