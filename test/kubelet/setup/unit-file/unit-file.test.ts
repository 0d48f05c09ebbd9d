import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseUnitFile, UnitFileError } from '../../../../src/kubelet/setup/unit-file/index.ts';
import { unitTexts } from './unit-texts.ts';

describe('a unit file', () => {
  it('comes out as it went in, byte for byte', () => {
    fc.assert(
      fc.property(unitTexts, ({ text }) => {
        expect(parseUnitFile(text).toString()).toBe(text);
      }),
    );
  });

  it('is read as it was meant', () => {
    fc.assert(
      fc.property(unitTexts, ({ text, assignments }) => {
        const read = parseUnitFile(text).assignments.map(({ section, key, value }) => ({
          section,
          key,
          value,
        }));
        expect(read).toEqual(assignments);
      }),
    );
  });

  it('keeps every other line when one is edited', () => {
    fc.assert(
      fc.property(unitTexts, fc.nat(), ({ text }, pick) => {
        const file = parseUnitFile(text);
        const chosen = file.assignments[pick % Math.max(file.assignments.length, 1)];
        if (!chosen) return;
        const edited = file.append(chosen, ' $ADDED').insertInSection(chosen.section, ['Wants=a.service']);
        const without = edited
          .toString()
          .replace(/^Wants=a\.service\r?\n/m, '')
          .replace(' $ADDED', '');
        expect(without).toBe(text);
        const words = (value: string) => value.split(/\s+/).filter((word) => word !== '');
        const read = edited.assignments.filter(({ key }) => key !== 'Wants').map(({ value }) => words(value));
        const expected = file.assignments.map((assignment) =>
          words(assignment === chosen ? `${assignment.value} $ADDED` : assignment.value),
        );
        expect(read).toEqual(expected);
      }),
    );
  });

  it('joins continuation lines as systemd does, comments between them left out', () => {
    const file = parseUnitFile(
      '[Service]\nExecStart=/bin/a \\\n# no\n  ; neither\n  --b\\\n --c\nType=simple\n',
    );
    expect(file.assignments).toMatchObject([
      { key: 'ExecStart', value: '/bin/a    --b  --c', first: 1, last: 5 },
      { key: 'Type', value: 'simple' },
    ]);
  });

  it('goes on behind an odd number of backslashes only, as systemd does', () => {
    const file = parseUnitFile('[Service]\nA=1\\\\\nB=2\\\\\\\nC=3\nD=4\n');
    expect(file.assignments).toMatchObject([
      { key: 'A', value: '1\\\\' },
      { key: 'B', value: '2\\\\ C=3' },
      { key: 'D', value: '4' },
    ]);
  });

  it('ends new lines as the file does', () => {
    const file = parseUnitFile('[Unit]\r\nA=1\r\n[Service]\r\nB=2');
    const [, b] = file.assignments;
    if (!b) throw new Error('not read');
    expect(file.insertAfter(b, ['C=3']).toString()).toBe('[Unit]\r\nA=1\r\n[Service]\r\nB=2\r\nC=3\r\n');
  });

  it('makes a section that is not there, and takes no look-alike in a value for one', () => {
    const file = parseUnitFile('[Service]\nExecStart=/bin/a \\\n[Unit]\n');
    expect(file.insertInSection('Unit', ['A=1']).toString()).toBe(
      '[Service]\nExecStart=/bin/a \\\n[Unit]\n\n[Unit]\nA=1\n',
    );
  });

  it.each([
    ['a lone carriage return', '[Unit]\nA=1\rB=2\n'],
    ['a NUL', '[Unit]\nA=\0\n'],
    ['a line that is neither', '[Unit]\nwhat is this\n'],
    ['an assignment before any section', 'A=1\n'],
    ['a continuation into nothing', '[Unit]\nA=1 \\\n'],
    ['a section that does not close', '[Unit\nA=1\n'],
    ['a key with a space', '[Unit]\nA B=1\n'],
  ])('is refused with %s', (_, text) => {
    expect(() => parseUnitFile(text)).toThrow(UnitFileError);
  });

  it('takes no line that would be two, or would swallow the next', () => {
    const file = parseUnitFile('[Unit]\nA=1\n');
    for (const line of ['B=1\nC=2', 'B=1\rC=2', 'B=1\\']) {
      expect(() => file.insertInSection('Unit', [line])).toThrow(UnitFileError);
    }
  });
});
