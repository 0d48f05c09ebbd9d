import fc from 'fast-check';
import { expect, it } from 'vitest';
import { unifiedDiff } from '../../../../src/kubelet/setup/index.ts';

it('shows what is made as added', () => {
  expect(unifiedDiff('/a', undefined, 'x\ny\n')).toBe('--- /dev/null\n+++ /a\n@@ -0,0 +1,2 @@\n+x\n+y');
});

it('says when a last line does not end', () => {
  expect(unifiedDiff('/a', 'x', 'x\n')).toContain('\\ No newline at end of file');
});

it('makes the one of the other when it is applied', () => {
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 30 })
    .map((lines) => `${lines.join('\n')}\n`);
  fc.assert(
    fc.property(text, text, (before, after) => {
      fc.pre(before !== after);
      expect(apply(before, unifiedDiff('/a', before, after))).toBe(after);
    }),
  );
});

/** As patch does it, without any fuzz. */
function apply(text: string, diff: string): string {
  const lines = text.trimEnd().split('\n');
  const out: string[] = [];
  let at = 0;
  for (const line of diff.split('\n').slice(2)) {
    const [, from, count] = /^@@ -(\d+),(\d+) /.exec(line) ?? [];
    if (from !== undefined) {
      const start = Number(from) - (count === '0' ? 0 : 1);
      out.push(...lines.slice(at, start));
      at = start;
    } else if (line.startsWith('+')) {
      out.push(line.slice(1));
    } else {
      expect(lines[at++]).toBe(line.slice(1));
      if (line.startsWith(' ')) out.push(line.slice(1));
    }
  }
  return `${[...out, ...lines.slice(at)].join('\n')}\n`;
}
