import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { checkCommand } from './check.ts';
import { demoCommand } from './demo.ts';
import { CommandError, EXIT } from './errors.ts';
import { explainCommand } from './explain.ts';
import { imageServiceCommand } from './image-service.ts';
import { loginCommand } from './login.ts';
import { nodeCommand } from './node.ts';
import { serveCommand } from './serve.ts';
import { processTerminal, type Terminal } from './terminal.ts';

/** `drp` with all its commands. What a command needs is imported when it runs, so that help comes at once. */
export function createProgram(terminal: Terminal = processTerminal): Command {
  const program = new Command('drp')
    .description('Docker Registry Proxy: your own domain and logins in front of any registry')
    .version(version(), '--version', 'print the version')
    .helpCommand('help [command]', 'help for a command')
    .addHelpText('after', '\nExample:\n  drp serve --upstream https://gcr.io/my-gcp-project');
  for (const command of [
    serveCommand(),
    checkCommand(terminal),
    explainCommand(terminal),
    loginCommand(terminal),
    demoCommand(),
    imageServiceCommand(),
    nodeCommand(terminal),
  ]) {
    program.addCommand(command);
  }
  for (const command of [
    program,
    ...program.commands,
    ...program.commands.flatMap(({ commands }) => commands),
  ]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => terminal.print(text.replace(/\n$/, '')),
      writeErr: (text) => terminal.printError(text.replace(/\n$/, '')),
      // The error and the suggestion after it are two lines; ours is one, printed where all errors are.
      outputError: () => undefined,
    });
  }
  return program;
}

/** Runs a command; never rejects. Errors become one line each, and an exit code. */
export async function runProgram(
  args: readonly string[],
  terminal: Terminal = processTerminal,
): Promise<void> {
  try {
    await createProgram(terminal).parseAsync(args, { from: 'user' });
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

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  const { version: text } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return text;
}
