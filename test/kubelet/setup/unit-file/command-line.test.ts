import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  commandInForce,
  parseUnitFile,
  quoteCommand,
  quoteWord,
  requireSafePath,
  splitCommandLine,
  UnitFileError,
} from '../../../../src/kubelet/setup/unit-file/index.ts';

const NASTY = fc.string({
  unit: fc.constantFrom(
    'a',
    ' ',
    '"',
    "'",
    '\\',
    ';',
    '%',
    'n',
    '$',
    '{',
    '}',
    '#',
    '[',
    ']',
    '=',
    '\t',
    '\n',
    '\r',
    'é',
  ),
});

describe('a command line', () => {
  it.each([
    ['/bin/a b  c', ['/bin/a', 'b', 'c']],
    ['/bin/a "b c" \'d "e\'', ['/bin/a', 'b c', 'd "e']],
    ['/bin/a x"y z"w', ['/bin/a', 'xy zw']],
    ['/bin/a \\x41\\101\\u00e9 \\s \\\\', ['/bin/a', 'AAé', ' ', '\\']],
    [`/bin/a $B \${C} %n %%`, ['/bin/a', '$B', `\${C}`, '%n', '%%']],
    ['/bin/a \\; b', ['/bin/a', ';', 'b']],
    ['/bin/a ";"', ['/bin/a', ';']],
    ["/bin/a ''", ['/bin/a', '']],
  ])('%s', (line, words) => {
    expect(splitCommandLine(line).words).toEqual(words);
  });

  it('knows what may stand before the program', () => {
    expect(splitCommandLine('-!/bin/a b')).toEqual({ prefix: '-!', words: ['/bin/a', 'b'] });
  });

  it.each([
    '/bin/a ; /bin/b',
    '/bin/a "b',
    '/bin/a \\q',
    '/bin/a \\x4',
    '/bin/a \\000',
    '/bin/a \\xff',
    '',
    '-',
  ])('%j is refused', (line) => {
    expect(() => splitCommandLine(line)).toThrow(UnitFileError);
  });
});

describe('quoting', () => {
  it('gives exactly the word back, or refuses it', () => {
    fc.assert(
      fc.property(fc.array(NASTY, { maxLength: 4 }), (words) => {
        let line: string;
        try {
          line = quoteCommand(['/bin/a', ...words]);
        } catch (error) {
          expect(error).toBeInstanceOf(UnitFileError);
          expect(words.some((word) => /[\t\n\r]/.test(word))).toBe(true);
          return;
        }
        const text = `[Service]\nExecStart=${line}\nUser=root\n`;
        const { assignments } = parseUnitFile(text);
        expect(assignments.map(({ key }) => key)).toEqual(['ExecStart', 'User']);
        const read = splitCommandLine(assignments[0]?.value ?? '').words;
        // What systemd still replaces: %% and $$ are one character each; a single one is never left.
        const unreplaced = read.map((word) => word.replaceAll('%%', '%').replaceAll('$$', '$'));
        expect(unreplaced).toEqual(['/bin/a', ...words]);
        for (const word of read.slice(1)) {
          expect(word.replaceAll('%%', '')).not.toContain('%');
          expect(word.replaceAll('$$', '')).not.toContain('$');
        }
      }),
    );
  });

  it('leaves plain words as they are', () => {
    expect(quoteWord('--socket=/run/a.sock')).toBe('--socket=/run/a.sock');
    expect(quoteWord('')).toBe('""');
  });

  it('takes plain absolute paths only where a path is wanted', () => {
    for (const path of ['/run/drp/x.sock', '/opt/a-b/c_d.1+2', '/etc/.hidden/x']) {
      expect(requireSafePath(path, 'it')).toBe(path);
    }
    fc.assert(
      fc.property(NASTY, (text) => {
        const path = `/run/${text}`;
        if (/^[a-z=n]+$/.test(text)) return;
        expect(() => requireSafePath(path, 'it')).toThrow(UnitFileError);
      }),
    );
    for (const path of [
      'run/x',
      '/a/../b',
      '/a/./b',
      '//a',
      '/a/',
      '/',
      '',
      '/a%n',
      '/a b',
      '/a;b',
      `/${'a'.repeat(5000)}`,
    ]) {
      expect(() => requireSafePath(path, 'it')).toThrow(UnitFileError);
    }
  });
});

describe('the command in force', () => {
  const unit = (text: string, path = '/lib/kubelet.service') => ({ path, text: `[Service]\n${text}` });

  it('is the last one after the last reset', () => {
    const found = commandInForce([
      unit('ExecStart=/bin/a\n'),
      unit('ExecStart=\nExecStart=/bin/b\n', '/etc/10.conf'),
      unit('Environment=A=1\n', '/etc/20.conf'),
    ]);
    expect(found).toMatchObject({ path: '/etc/10.conf', assignment: { value: '/bin/b' } });
  });

  it('is not that of another section', () => {
    const file = { path: '/x', text: '[Service]\nExecStart=/bin/a\n[Install]\nExecStart=/bin/b\n' };
    expect(commandInForce([file]).assignment.value).toBe('/bin/a');
  });

  it.each([
    ['none', [unit('Type=simple\n')]],
    ['a reset without another', [unit('ExecStart=/bin/a\n'), unit('ExecStart=\n')]],
    ['two', [unit('ExecStart=/bin/a\n'), unit('ExecStart=/bin/b\n')]],
    ['a file that is not understood', [unit('ExecStart=/bin/a\n'), unit('nonsense\n')]],
  ])('is refused where there is %s', (_, files) => {
    expect(() => commandInForce(files)).toThrow(UnitFileError);
  });
});
