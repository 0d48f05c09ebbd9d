import { createDrp } from '../../src/cli/drp.ts';
import { runProgram } from '../../src/cli/program.ts';
import type { Terminal } from '../../src/cli/terminal.ts';

export interface Ran {
  readonly out: string;
  readonly error: string;
  readonly exitCode: number;
}

/** Runs `drp` in this process, as if in a pipe. */
export async function run(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  return runOn(args, { env, isInteractive: false });
}

export async function runOn(
  args: readonly string[],
  world: { readonly env: Record<string, string>; readonly isInteractive: boolean },
): Promise<Ran> {
  const out: string[] = [];
  const error: string[] = [];
  let exitCode = 0;
  const terminal: Terminal = {
    ...world,
    print: (text) => out.push(text),
    printError: (text) => error.push(text),
    setExitCode: (code) => {
      exitCode = code;
    },
  };
  await runProgram(createDrp(terminal), args, terminal);
  return { out: out.join('\n'), error: error.join('\n'), exitCode };
}
