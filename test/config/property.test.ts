// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables in a configuration file look like this
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import { ConfigError, type ConfigProblem, loadConfig } from '../../src/config/index.ts';
import { parseYaml } from '../../src/config/yaml-document.ts';
import { proxyOptions } from '../../src/proxy/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Close to real files, so that more than the top level is reached. */
const words = fc.constantFrom(
  'server',
  'upstreams',
  'routes',
  'match',
  'upstream',
  'url',
  'layout',
  'credentials',
  'type',
  'static',
  'username',
  'password',
  'passwordFile',
  'authentication',
  'verifiers',
  'htpasswd',
  'file',
  'authorization',
  'rules',
  'when',
  'repositories',
  'actions',
  'pull',
  'tokens',
  'lifetime',
  'signingKeyFile',
  '5m',
  'https://example.com',
  '${HOME}',
  '.',
  '__proto__',
  'constructor',
  'toString',
  '*',
  '&a',
  '{name}',
);
const { document: randomJson } = fc.letrec((tie) => ({
  document: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    words,
    fc.string(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('document'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(words, fc.string()), tie('document'), { maxKeys: 6 }),
  ),
}));

test('whatever the file holds, it is loaded or refused with problems that have a line', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'drp.yaml');
  const load = async (text: string) => {
    await writeFile(path, text);
    try {
      await loadConfig(path, proxyOptions, { env: { HOME: folder } });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      expect(error.problems.length).toBeGreaterThan(0);
      for (const { line, column } of error.problems) {
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(text.split('\n').length);
        expect(column).toBeGreaterThanOrEqual(1);
      }
      expect(error.message.split('\n')).toHaveLength(error.problems.length);
    }
  };
  const yaml = randomJson.map((value) => stringify(value) ?? '');
  const syntax = fc.string({
    unit: fc.constantFrom(
      'a',
      ':',
      ' ',
      '\n',
      '-',
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      '&',
      '*',
      '!',
      '|',
      '>',
      '#',
      '?',
      '%',
      '\t',
    ),
  });
  await fc.assert(fc.asyncProperty(fc.oneof(yaml, syntax), load), { numRuns: 500 });
});

const schema = z.strictObject({
  entries: z.array(z.strictObject({ text: z.string(), count: z.int().optional() })),
});

test('problems point at the line that is wrong', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'drp.yaml');
  const good = fc.constantFrom(
    ['  - text: good'],
    ['', '  - text: good', '    count: 3'],
    ['  # note', '  - count: 1', '    text: "a b"'],
  );
  const bad = fc.constantFrom(
    { lines: ['  - text: good', '    cuont: 3'], at: 1, key: 'cuont' },
    { lines: ['  - count: 3', '    text:', '      5'], at: 2, key: 'text' },
    { lines: ['  - count: 3', '    text: [a,', '      b]'], at: 1, key: 'text' },
    { lines: ['  - count: x', '    text: a'], at: 0, key: 'count' },
    { lines: ['  # note', '  - count: 3'], at: 1, key: 'text' },
    { lines: ['  - text: |', '      ${NONE}', '    count: 1'], at: 0, key: 'text' },
  );
  const entries = fc.array(
    fc.oneof(
      good.map((lines) => ({ lines, at: undefined, key: '' })),
      bad,
    ),
    { maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(entries, fc.constantFrom('\n', '\r\n'), async (blocks, lineBreak) => {
      const lines = ['entries:'];
      const expected: { line: number; key: string }[] = [];
      for (const [index, { lines: block, at, key }] of blocks.entries()) {
        if (at !== undefined) expected.push({ line: lines.length + at + 1, key: `entries[${index}].${key}` });
        lines.push(...block);
      }
      await writeFile(path, blocks.length === 0 ? 'entries: []' : lines.join(lineBreak));
      const found: readonly ConfigProblem[] = await loadConfig(path, schema, { env: {} }).then(
        () => [],
        (error: ConfigError) => error.problems,
      );
      expect(found.map(({ line, key }) => ({ line, key }))).toEqual(expected);
    }),
  );
});

test('every value of a document is found again where it stands', () => {
  const leaf = fc.constantFrom('alpha', 'beta', 'gamma');
  const document = fc.dictionary(
    fc.stringMatching(/^[a-z]{1,6}$/),
    fc.array(fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), leaf, { minKeys: 1 }), { minLength: 1 }),
    { minKeys: 1 },
  );
  fc.assert(
    fc.property(document, (value) => {
      const text = stringify(value);
      const lines = text.split('\n');
      const yaml = parseYaml(text);
      expect(yaml.value).toEqual(value);
      for (const [name, list] of Object.entries(value)) {
        for (const [index, entry] of list.entries()) {
          for (const [key, leafValue] of Object.entries(entry)) {
            const place = { path: [name, index, key], message: '' };
            const at = yaml.locate(place);
            expect(lines[at.line - 1]?.slice(at.column - 1)).toBe(leafValue);
            const keyAt = yaml.locate({ ...place, atKey: true });
            expect(lines[keyAt.line - 1]?.slice(keyAt.column - 1)).toMatch(
              new RegExp(`^"?${key}"?: ${leafValue}$`),
            );
          }
        }
      }
    }),
  );
});
