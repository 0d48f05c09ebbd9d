import { Command } from 'commander';
import { CONFIG_OPTION, CONFIG_OPTION_HELP, findConfigFile } from './config-file.ts';
import { processTerminal, type Terminal } from './terminal.ts';

interface CheckOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** `drp check` */
export function checkCommand(terminal: Terminal = processTerminal): Command {
  return new Command('check')
    .description('validate a configuration file and every file that it names; say what is wrong, and where')
    .option(CONFIG_OPTION, CONFIG_OPTION_HELP)
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Every problem is a line such as drp.yaml:12:5: routes[0].upstrem: unknown key; did you mean upstream?
A file of drp image-service, which has a \`backend\`, is told from one of drp serve.

Exit codes: 0 the file is good, 2 it is not, or there is none

Example:
  drp check --config drp.yaml`,
    )
    .action(async ({ config, json = false }: CheckOptions) => {
      const file = findConfigFile(config, terminal.env);
      const { runCheck } = await import('./check/run-check.ts');
      await runCheck(file, json, terminal);
    });
}
