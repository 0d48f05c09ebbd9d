// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables in a configuration file look like this
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError, configFromValue, loadConfig } from '../../src/config/index.ts';
import { FileReference, FolderReference, optionTypes, Secret } from '../../src/core/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

const source = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  z
    .strictObject({
      type: z.literal('static'),
      username: z.string().min(1),
      password: optionTypes.secret.optional(),
      passwordFile: optionTypes.file.optional(),
    })
    .refine((options) => options.password !== undefined || options.passwordFile !== undefined, {
      error: 'needs password or passwordFile',
    }),
]);

const schema = z.strictObject({
  name: z.string().default('default'),
  count: z.int().min(1).max(9).default(1),
  lifetime: optionTypes.duration.prefault('5m'),
  mode: z.enum(['stream', 'redirect']).default('stream'),
  accounts: z.array(z.string()).default([]),
  key: optionTypes.optionalFile.prefault('./data/key.json'),
  folder: optionTypes.folder.optional(),
  either: z.union([z.string(), z.strictObject({ url: z.string() })]).optional(),
  entries: z.record(z.string().regex(/^[a-z]+$/, 'expected lower-case letters'), source).default({}),
  list: z.array(z.strictObject({ upstream: z.string(), file: optionTypes.file.optional() })).default([]),
});

async function write(text: string | Buffer, more: Record<string, string> = {}): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'drp.yaml'), text);
  for (const [name, contents] of Object.entries(more)) await writeFile(join(folder, name), contents);
  return join(folder, 'drp.yaml');
}

/** The lines of the error, without the folder. */
async function problems(text: string | Buffer, env: Record<string, string> = {}): Promise<string[]> {
  const path = await write(text);
  const error = await loadConfig(path, schema, { env }).catch((reason: unknown) => reason);
  if (!(error instanceof ConfigError)) throw new Error(`no problem was found: ${String(error)}`);
  const folder = path.slice(0, -'drp.yaml'.length);
  return error.message.split('\n').map((line) => line.replaceAll(folder, ''));
}

describe('a good file', () => {
  test('is read with the files it names, relative to its folder', async () => {
    const path = await write(
      'entries: { hub: { type: static, username: acme, passwordFile: hub.txt } }\nlist: [{ upstream: a, file: ./hub.txt }]\nfolder: images\n',
      { 'hub.txt': 'hunter2\n' },
    );
    const { value, files } = await loadConfig(path, schema, { env: {} });
    const folder = path.slice(0, -'/drp.yaml'.length);
    const hub = value.entries.hub;
    expect(hub?.type === 'static' && hub.passwordFile?.text()).toBe('hunter2\n');
    expect(value.list[0]?.file?.path).toBe(join(folder, 'hub.txt'));
    expect(value.folder).toBeInstanceOf(FolderReference);
    expect(value.folder?.path).toBe(join(folder, 'images'));
    expect(files).toEqual([path, join(folder, 'data/key.json'), join(folder, 'hub.txt')]);
  });

  test('may lack a file that the program makes', async () => {
    const { value } = await loadConfig(await write(''), schema, { env: {} });
    expect(value.key).toBeInstanceOf(FileReference);
    expect(value.key.contents).toBeUndefined();
  });

  test('takes secrets from the environment', async () => {
    const path = await write('entries:\n  hub: { type: static, username: u, password: "${PW}" }\n');
    const { value } = await loadConfig(path, schema, { env: { PW: 'hunter2' } });
    const hub = value.entries.hub;
    expect(hub?.type === 'static' && hub.password).toEqual(new Secret('hunter2'));
    expect(hub?.type === 'static' && hub.password?.reveal()).toBe('hunter2');
  });

  test('may use anchors, and on is text as YAML 1.2 has it', async () => {
    const path = await write('name: on\nlist: [&a { upstream: x }, *a]\n');
    const { value } = await loadConfig(path, schema, { env: {} });
    expect(value).toMatchObject({ name: 'on', list: [{ upstream: 'x' }, { upstream: 'x' }] });
  });

  test('is refused when the further check finds something, at the line it is about', async () => {
    const path = await write('list:\n  - upstream: a\n  - upstream: b\n');
    const check = () => [{ path: ['list', 1, 'upstream'], message: 'there is no b' }];
    const error = await loadConfig(path, schema, { env: {}, check }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      problems: [{ file: path, line: 3, column: 15, key: 'list[1].upstream', message: 'there is no b' }],
    });
  });
});

describe('a bad value is told with its line, in words', () => {
  test.each([
    ['nam: x', 'drp.yaml:1:1: nam: unknown key; did you mean name?'],
    ['list:\n  - upstrem: x', 'drp.yaml:2:5: list[0].upstrem: unknown key; did you mean upstream?'],
    [
      'list:\n  - fantasy: x\n    upstream: y',
      'drp.yaml:2:5: list[0].fantasy: unknown key; known here: upstream, file',
    ],
    ['list:\n  - {}', 'drp.yaml:2:5: list[0].upstream: missing; expected text'],
    [
      'entries:\n  hub:\n    type: static\n    password: x',
      'drp.yaml:2:3: entries.hub.username: missing; expected text',
    ],
    [
      'entries:\n  hub: { type: static, username: u, pasword: hunter2 }',
      'drp.yaml:2:3: entries.hub: needs password or passwordFile\ndrp.yaml:2:37: entries.hub.pasword: unknown key; did you mean password?',
    ],
    [
      'entries:\n  hub: { type: sttic }',
      'drp.yaml:2:16: entries.hub.type: expected one of none, static; did you mean static?',
    ],
    ['entries:\n  hub: {}', 'drp.yaml:2:3: entries.hub.type: missing; expected one of none, static'],
    [
      'entries:\n  HUB: { type: none }',
      'drp.yaml:2:3: entries.HUB: not possible as a name: expected lower-case letters',
    ],
    ['mode: redirct', 'drp.yaml:1:7: mode: expected one of stream, redirect; did you mean redirect?'],
    ['mode: 5', 'drp.yaml:1:7: mode: expected one of stream, redirect'],
    ['accounts: [1111]', 'drp.yaml:1:12: accounts[0]: expected text, found a number; put it in quotes'],
    ['name: [a]', 'drp.yaml:1:1: name: expected text, found a list'],
    ['name:', 'drp.yaml:1:1: name: expected text, found nothing'],
    ['count: many', 'drp.yaml:1:8: count: expected a number, found text'],
    ['count: 1.5', 'drp.yaml:1:8: count: expected a whole number, found a number'],
    ['count: 0', 'drp.yaml:1:8: count: expected at least 1'],
    ['count: 10', 'drp.yaml:1:8: count: expected at most 9'],
    ['lifetime: 5', 'drp.yaml:1:11: lifetime: expected text, found a number; put it in quotes'],
    ['lifetime: 5 minutes', 'drp.yaml:1:11: lifetime: expected a duration such as 500ms, 30s, 5m, 12h or 7d'],
    ['folder: ""', 'drp.yaml:1:9: folder: must not be empty'],
    [
      'either: 5',
      'drp.yaml:1:9: either: expected text, found a number; put it in quotes, or expected a mapping, found a number',
    ],
    ['either:\n  ulr: x', 'drp.yaml:2:3: either.ulr: unknown key; did you mean url?'],
    ['name: "${NOT_SET}"', 'drp.yaml:1:7: name: the environment has no variable NOT_SET; set it'],
    ['lifetime: "${NOT_SET}"', 'drp.yaml:1:11: lifetime: the environment has no variable NOT_SET; set it'],
    ['list:\n  - upstream: a\n    file: none.txt', 'drp.yaml:3:11: list[0].file: there is no file none.txt'],
    ['list:\n  - upstream: a\n    file: .', 'drp.yaml:3:11: list[0].file:  is a folder'],
    ['- a', 'drp.yaml:1:1: expected a mapping, found a list'],
    ['text', 'drp.yaml:1:1: expected a mapping, found text'],
    ['__proto__: 1', 'drp.yaml:1:1: __proto__: not possible as a key'],
    ['"a\\nb": 1', expect.stringMatching(/^drp.yaml:1:1: \["a\\nb"\]: unknown key/)],
  ])('%j', async (text, expected) => {
    expect((await problems(text)).join('\n').replace(/(file: )\/\S+ (is a folder)/, '$1 $2')).toEqual(
      expected,
    );
  });

  test('all problems are told, in the order of the file', async () => {
    expect(await problems('nam: x\ncount: 0\nlist:\n  - upstream: "${NO}"\n    fil: x\nmode: x\n')).toEqual([
      'drp.yaml:1:1: nam: unknown key; did you mean name?',
      'drp.yaml:2:8: count: expected at least 1',
      'drp.yaml:4:15: list[0].upstream: the environment has no variable NO; set it',
      'drp.yaml:5:5: list[0].fil: unknown key; did you mean file?',
      'drp.yaml:6:7: mode: expected one of stream, redirect',
    ]);
  });
});

describe('a text that is not good YAML is told with its line', () => {
  test.each([
    ['name: a\nname: b', 'drp.yaml:2:1: duplicate key; the same key stands above'],
    [
      'name: *hunter2',
      'drp.yaml:1:7: name: there is no such anchor; put a text that starts with * in quotes',
    ],
    ['name: !hunter2 x', 'drp.yaml:1:7: unknown tag; put a text that starts with ! in quotes'],
    ['name: @hunter2', 'drp.yaml:1:7: put this text in quotes: it starts with a reserved character'],
    [
      'name: "hunter2',
      expect.stringMatching(/^drp.yaml:1:\d+: a quote, bracket, comma or space is missing$/),
    ],
    ['list:\n\t- a', expect.stringMatching(/^drp.yaml:2:1: .*tab/)],
    ['name: a\n---\nname: b', expect.stringContaining('only one YAML document')],
    ['? [a]\n: b', expect.stringContaining('a key has to be text')],
    ['list: &a [*a]', 'drp.yaml:1:11: list[0]: an alias can not be part of what it stands for'],
    [`list: ${'['.repeat(100)}${']'.repeat(100)}`, expect.stringContaining('nested too deep')],
    [`list: ${'['.repeat(100_000)}`, expect.stringContaining('nested too deep')],
  ])('%j', async (text, expected) => {
    const [first, ...others] = await problems(text);
    expect(first).toEqual(expected);
    expect([first, ...others].join('\n')).not.toContain('hunter2');
  });

  test('a variable without quotes inside braces is explained', async () => {
    const found = await problems('entries: { hub: { type: static, username: u, password: ${PW} } }', {
      PW: 'hunter2',
    });
    expect(found.join('\n')).toContain('a variable needs quotes around it');
  });

  test('aliases that unfold into millions of values are stopped', async () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const previous = level === 0 ? 'x' : `*a${level - 1}`;
      return `a${level}: &a${level} [${Array.from({ length: 10 }, () => previous).join(', ')}]`;
    });
    expect(
      (await problems(levels.join('\n'))).filter((line) => line.endsWith('too many values')),
    ).toHaveLength(1);
  });

  test('a file that is not there, too large, or not text', async () => {
    const path = await write(Buffer.from([0x6e, 0xff, 0xfe]));
    const load = (file: string) => loadConfig(file, schema, { env: {} });
    await expect(load(`${path}.missing`)).rejects.toThrow('drp.yaml.missing: there is no such file');
    await expect(load(path)).rejects.toThrow('drp.yaml: is not UTF-8 text');
    await mkdir(`${path}.d`);
    await expect(load(`${path}.d`)).rejects.toThrow('drp.yaml.d: is a folder');
    await writeFile(path, `# ${'x'.repeat(1024 * 1024)}`);
    await expect(load(path)).rejects.toThrow('is larger than 1048576 bytes');
  });

  test('a named file that is too large', async () => {
    const path = await write('list: [{ upstream: a, file: big }]', { big: 'x'.repeat(4 * 1024 * 1024 + 1) });
    await expect(loadConfig(path, schema, { env: {} })).rejects.toThrow(
      /list\[0\].file: \S+big is larger than/,
    );
  });
});

test('what came from the environment is in no message', async () => {
  const withEcho = z.strictObject({
    upstream: z.string().refine(() => false, { error: ({ input }) => `no ${String(input)}` }),
  });
  const options = { env: { PW: 'hunter2' }, baseDirectory: '/' };
  await expect(configFromValue({ upstream: 'x${PW}' }, withEcho, options)).rejects.toThrow(
    'upstream: no x${PW}',
  );
});

describe('a value made in the program', () => {
  test('is checked like a file, its paths start at the given folder', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'f.txt'), 'contents');
    const { value, files } = await configFromValue({ list: [{ upstream: '${U}', file: 'f.txt' }] }, schema, {
      env: { U: 'hub' },
      baseDirectory: folder,
    });
    expect(value.list[0]?.upstream).toBe('hub');
    expect(value.list[0]?.file?.text()).toBe('contents');
    expect(files).toEqual([join(folder, 'data/key.json'), join(folder, 'f.txt')]);
  });

  test('is refused without lines', async () => {
    await expect(configFromValue({ nam: 1 }, schema, { env: {}, baseDirectory: '/' })).rejects.toMatchObject({
      message: 'nam: unknown key; did you mean name?',
      problems: [{ file: undefined, line: undefined, column: undefined }],
    });
  });
});
