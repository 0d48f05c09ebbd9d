const CONTEXT_LINES = 3;

/** A unified diff of two short texts; undefined stands for a file that is not there. */
export function unifiedDiff(path: string, before: string | undefined, after: string | undefined): string {
  const a = splitText(before);
  const b = splitText(after);
  const marked = markLines(a, b);
  const header = [
    `--- ${before === undefined ? '/dev/null' : path}`,
    `+++ ${after === undefined ? '/dev/null' : path}`,
  ];
  return [...header, ...hunks(marked)].join('\n');
}

interface MarkedLine {
  readonly mark: ' ' | '-' | '+';
  readonly text: string;
  /** Lines of either text that come before. */
  readonly a: number;
  readonly b: number;
}

/** By the longest common subsequence; quadratic, which is nothing for files of this size. */
function markLines(a: readonly string[], b: readonly string[]): MarkedLine[] {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const marked: MarkedLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const [left, right] = [a[i], b[j]];
    if (left !== undefined && left === right) marked.push({ mark: ' ', text: left, a: i++, b: j++ });
    else if (left !== undefined && (right === undefined || at(i + 1, j) >= at(i, j + 1))) {
      marked.push({ mark: '-', text: left, a: i++, b: j });
    } else marked.push({ mark: '+', text: right ?? '', a: i, b: j++ });
  }
  return marked;
}

function hunks(marked: readonly MarkedLine[]): string[] {
  const shown = marked.map((_, index) =>
    marked
      .slice(Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1)
      .some(({ mark }) => mark !== ' '),
  );
  const out: string[] = [];
  for (let start = 0; start < marked.length; start++) {
    if (!shown[start]) continue;
    let end = start;
    while (shown[end]) end++;
    const hunk = marked.slice(start, end);
    const [first] = hunk;
    const counts = ['-', '+'].map(
      (other) => hunk.filter(({ mark }) => mark === ' ' || mark === other).length,
    );
    const from = (offset: number, count: number): string => `${count === 0 ? offset : offset + 1},${count}`;
    out.push(`@@ -${from(first?.a ?? 0, counts[0] ?? 0)} +${from(first?.b ?? 0, counts[1] ?? 0)} @@`);
    out.push(...hunk.map(({ mark, text }) => `${mark}${text}`));
    start = end;
  }
  return out;
}

function splitText(text: string | undefined): string[] {
  if (text === undefined || text === '') return [];
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  else lines.push('\\ No newline at end of file');
  return lines;
}
