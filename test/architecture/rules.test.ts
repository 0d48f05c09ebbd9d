import { describe, expect, it } from 'vitest';
import { checkImports, checkLength, checkPaths, importsOf } from './rules.ts';

const HOUSE = {
  'cli/serve.ts': '',
  'core/clock.ts': '',
  'core/index.ts': '',
  'kubelet/setup/index.ts': '',
  'oci/digest.ts': '',
  'oci/index.ts': '',
  'proxy/index.ts': '',
  'proxy/options.ts': '',
  'proxy/policy/index.ts': '',
  'proxy/registry/handlers/index.ts': '',
  'proxy/registry/handlers/pull.ts': '',
  'proxy/registry/index.ts': '',
  'proxy/upstream/index.ts': '',
};

function problemsOf(file: string, specifier: string): string[] {
  const text = `import { x } from '${specifier}';\n`;
  return checkImports(new Map(Object.entries({ ...HOUSE, [file]: text })));
}

describe('checkImports', () => {
  it.each([
    ['downwards, through the door', 'proxy/registry/route.ts', '../../core/index.ts'],
    ['down within the wing', 'proxy/registry/route.ts', '../policy/index.ts'],
    ['into a part of the wing', 'proxy/proxy.ts', './registry/index.ts'],
    ['a neighbour in the same folder', 'core/secret.ts', './clock.ts'],
    ['up to the folder around it', 'proxy/registry/handlers/blob.ts', '../index.ts'],
    ['into a sub-folder, through its door', 'proxy/registry/dispatch.ts', './handlers/index.ts'],
    ['the top', 'cli/main.ts', './serve.ts'],
  ])('allows %s', (_case, file, specifier) => {
    expect(problemsOf(file, specifier)).toEqual([]);
  });

  it.each([
    ['upwards', 'core/secret.ts', '../oci/index.ts', 'core stands below oci'],
    ['upwards within the wing', 'proxy/policy/rule.ts', '../registry/index.ts', 'stands below'],
    ['a part that asks for its wing', 'proxy/policy/rule.ts', '../index.ts', 'stands below proxy'],
    ['past a door', 'proxy/policy/rule.ts', '../../core/clock.ts', 'only core/index.ts is open'],
    [
      'past the door of a sub-folder',
      'proxy/registry/x.ts',
      './handlers/pull.ts',
      'only proxy/registry/handlers',
    ],
    [
      'into a sub-folder of another part',
      'proxy/proxy.ts',
      './registry/handlers/index.ts',
      'only proxy/registry/index',
    ],
    ['one wing from the other', 'proxy/registry/x.ts', '../../kubelet/setup/index.ts', 'the wings'],
    ['the other way about', 'kubelet/setup/x.ts', '../../proxy/index.ts', 'the wings'],
    ['a file that does not exist', 'cli/main.ts', './nothing.ts', 'no such file'],
    ['from a folder that the order does not hold', 'utils/x.ts', '../core/index.ts', 'no unit of the order'],
  ])('finds %s', (_case, file, specifier, problem) => {
    expect(problemsOf(file, specifier)).toEqual([expect.stringContaining(problem)]);
  });
});

describe('importsOf', () => {
  it('finds every form of import, and none in a comment', () => {
    const text = `import './a.ts';
import b, { type B } from "./b.ts";
import {
  c,
} from './c.ts';
export * from './d.ts';
export type { E } from './e.ts';
const f = await import('./f.ts');
// import './comment.ts';
/** import x from './comment.ts' */
export const notAnImport = 'from';
`;
    expect(importsOf(text)).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts', './e.ts', './f.ts']);
  });
});

describe('checkLength', () => {
  it('allows 400 lines and no more', () => {
    const sources = new Map([
      ['right.ts', 'x\n'.repeat(400)],
      ['long.ts', 'x\n'.repeat(401)],
    ]);
    expect(checkLength(sources)).toEqual(['long.ts has 401 lines, more than 400']);
  });
});

describe('checkPaths', () => {
  it('finds paths of a single machine', () => {
    const sources = new Map([
      ['a.md', `see ${['', 'work', 'x'].join('/')}`],
      ['b.md', `see ${['..', 'shared', 'x'].join('/')}`],
      ['c.md', 'see https://example.com/work/x and a shared folder'],
    ]);
    expect(checkPaths(sources)).toEqual([
      expect.stringMatching(/^a\.md names/),
      expect.stringMatching(/^b\.md names/),
    ]);
  });
});
