import { Command } from 'commander';
import { CONFIG_OPTION, CONFIG_OPTION_HELP, findConfigFile } from './config-file.ts';
import { processTerminal, type Terminal } from './terminal.ts';

interface DoctorCommandOptions {
  readonly config?: string;
  readonly upstream?: string;
  readonly json?: boolean;
}

/** `drp doctor` */
export function doctorCommand(terminal: Terminal = processTerminal): Command {
  return new Command('doctor')
    .description('try each upstream as the proxy would, and look at what the proxy needs around it')
    .option(CONFIG_OPTION, CONFIG_OPTION_HELP)
    .option('--upstream <name>', 'look at this one upstream only')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
A line for each check: ok, warn, fail or skipped, and what to do next. Run it as the user that the proxy runs as, and
where it runs. Each credential is tried once; nothing is pulled, and no secret is printed.

Exit codes: 0 nothing failed, 1 something did, 2 the arguments or the configuration are wrong

Examples:
  drp doctor --config drp.yaml
  sudo -u drp drp doctor --config /etc/drp/drp.yaml --upstream hub`,
    )
    .action(async ({ config, upstream, json = false }: DoctorCommandOptions) => {
      const file = findConfigFile(config, terminal.env);
      const { runDoctor } = await import('./doctor/run-doctor.ts');
      await runDoctor(file, { json, ...(upstream !== undefined && { upstream }) }, terminal);
    });
}
