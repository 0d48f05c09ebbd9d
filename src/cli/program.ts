import { Command, CommanderError } from 'commander';
import { programVersion } from '../core/index.ts';
import { CommandError, EXIT } from './errors.ts';
import { processTerminal, type Terminal } from './terminal.ts';

/** What a program is called and does. */
export interface ProgramDescription {
  readonly name: string;
  readonly description: string;
  readonly example: string;
  readonly commands: readonly Command[];
}

/** A program with its commands. What a command needs is imported when it runs, so that help comes at once. */
export function createProgram(
  { name, description, example, commands }: ProgramDescription,
  terminal: Terminal = processTerminal,
): Command {
  const program = new Command(name)
    .description(description)
    .version(programVersion(), '--version', 'print the version')
    .helpCommand('help [command]', 'help for a command')
    .addHelpText('after', `\nExample:\n  ${example}`);
  for (const command of commands) program.addCommand(command);
  for (const command of allCommands(program)) {
    command.exitOverride().configureOutput({
      writeOut: (text) => terminal.print(text.replace(/\n$/, '')),
      writeErr: (text) => terminal.printError(text.replace(/\n$/, '')),
      // The error and the suggestion after it are two lines; ours is one, printed where all errors are.
      outputError: () => undefined,
    });
  }
  return program;
}

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

/** Runs a command; never rejects. Errors become one line each, and an exit code. */
export async function runProgram(
  program: Command,
  args: readonly string[],
  terminal: Terminal = processTerminal,
): Promise<void> {
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    const { message, exitCode } = describeError(error);
    if (message !== '') terminal.printError(message);
    terminal.setExitCode(exitCode);
  }
}

function describeError(error: unknown): { message: string; exitCode: number } {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return { message: '', exitCode: EXIT.ok };
    const isHelp = error.code === 'commander.help';
    const text = error.message.replace(/^error: /, '').replace(/\n\(?Did (.*?)\)?$/s, '; did $1');
    return { message: isHelp ? '' : `drp: ${text}; see drp --help`, exitCode: EXIT.usage };
  }
  if (error instanceof CommandError) return { message: `drp: ${error.message}`, exitCode: error.exitCode };
  if (error instanceof Error) {
    // By name: the part that has the class is only loaded when a command needs it.
    if (error.name === 'ConfigError') return { message: error.message, exitCode: EXIT.usage };
    if (error.name === 'QuickOptionsError') return { message: `drp: ${error.message}`, exitCode: EXIT.usage };
    return { message: `drp: ${error.message.replace(/\s*\n\s*/g, ' ')}`, exitCode: EXIT.failed };
  }
  return { message: `drp: ${String(error)}`, exitCode: EXIT.failed };
}
