/** What a command may know of the world it was started in. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether somebody looks at the output: only then it has colours. */
  readonly isInteractive: boolean;
  print(text: string): void;
  printError(text: string): void;
  setExitCode(code: number): void;
}

export const processTerminal: Terminal = {
  env: process.env,
  isInteractive: process.stdout.isTTY === true && !process.env.NO_COLOR,
  print: (text) => void process.stdout.write(`${text}\n`),
  printError: (text) => void process.stderr.write(`${text}\n`),
  setExitCode: (code) => {
    process.exitCode = code;
  },
};

export type Colour = 'green' | 'yellow' | 'red' | 'dim';

const ESCAPES: Readonly<Record<Colour, string>> = {
  green: '\u001b[32m',
  yellow: '\u001b[33m',
  red: '\u001b[31m',
  dim: '\u001b[2m',
};
const RESET = '\u001b[0m';

export function paint(terminal: Terminal, colour: Colour, text: string): string {
  return terminal.isInteractive ? `${ESCAPES[colour]}${text}${RESET}` : text;
}

/** Columns of equal width, two spaces apart; the last one is left as it is. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.slice(0, -1).entries()) {
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
    }
  }
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
