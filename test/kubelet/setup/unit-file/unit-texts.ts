import fc from 'fast-check';

interface Generated {
  readonly text: string;
  readonly assignments: readonly { section: string; key: string; value: string }[];
}

/** Without a backslash at its end that would join the next line. */
const PLAIN = fc
  .stringMatching(/^[A-Za-z0-9 _$%"'=:/.;#\\\u00a0-]{0,12}$/)
  .map((text) => text.replace(/^ +| +$/g, '').replace(/\\+$/, (end) => end.repeat(2)));
const KEY = fc.constantFrom('ExecStart', 'Environment', 'EnvironmentFile', 'After', 'X-Own');
const SECTION = fc.constantFrom('Unit', 'Service', 'Install');
const SPACE = fc.constantFrom('', ' ', '\t', '  ');
/** Not the beginning of a comment, which a continuation line would be. */
const CONTINUED = PLAIN.filter((text) => !/^[#;]/.test(text));

const ASSIGNMENT = fc
  .record({
    key: KEY,
    parts: fc.array(CONTINUED, { minLength: 1, maxLength: 3 }),
    comment: fc.boolean(),
    space: SPACE,
  })
  .map(({ key, parts, comment, space }) => ({
    key,
    // As systemd joins them: the backslash and the end of the line are one space.
    value: parts.join('  ').replace(/^ +| +$/g, ''),
    lines: parts.map((part, index) => {
      const start = index === 0 ? `${key}${space}=${space}` : ' ';
      return `${start}${part}${index < parts.length - 1 ? '\\' : ''}`;
    }),
    comment,
  }));

const NOISE = fc.constantFrom('', '   ', '# a comment', '  ; another', '#[Service]', '; A=1 \\');

/** Unit files with everything that is allowed in them, and what they mean. */
export const unitTexts: fc.Arbitrary<Generated> = fc
  .record({
    sections: fc.array(
      fc.record({
        section: SECTION,
        noise: fc.array(NOISE, { maxLength: 2 }),
        assignments: fc.array(ASSIGNMENT, { maxLength: 4 }),
      }),
      { maxLength: 4 },
    ),
    end: fc.constantFrom('\n', '\r\n'),
    ends: fc.boolean(),
  })
  .map(({ sections, end, ends }) => {
    const lines: string[] = [];
    const meaning: { section: string; key: string; value: string }[] = [];
    for (const { section, noise, assignments } of sections) {
      lines.push(`[${section}]`, ...noise);
      for (const { key, value, lines: own, comment } of assignments) {
        const [first = '', ...rest] = own;
        lines.push(first, ...(comment && rest.length > 0 ? ['# in between'] : []), ...rest);
        meaning.push({ section, key, value });
      }
    }
    const text = lines.join(end) + (ends && lines.length > 0 ? end : '');
    return { text, assignments: meaning };
  });
