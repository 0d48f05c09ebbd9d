import { Command } from 'commander';
import { CONFIG_OPTION, CONFIG_OPTION_HELP, findConfigFile } from './config-file.ts';
import { processTerminal, type Terminal } from './terminal.ts';

interface ShowOptions {
  readonly audience: string;
  readonly tokenFile: readonly string[];
  readonly json?: boolean;
}

interface VerifyOptions {
  readonly verifier: string;
  readonly config?: string;
  readonly username?: string;
  readonly json?: boolean;
}

/** `drp identity` */
export function identityCommand(terminal: Terminal = processTerminal): Command {
  return new Command('identity')
    .description('say what this machine can prove, or check what another one shows')
    .addHelpText(
      'after',
      `
Exit codes: 0 yes, 1 no, 2 the arguments or the configuration are wrong

Examples:
  drp identity show --audience docker.example.com
  drp identity verify --verifier google token.jwt`,
    )
    .addCommand(showCommand(terminal))
    .addCommand(verifyCommand(terminal));
}

function showCommand(terminal: Terminal): Command {
  const collect = (value: string, earlier: readonly string[]): string[] => [...earlier, value];
  return new Command('show')
    .description('ask the metadata services and look for tokens: what could this machine log in with?')
    .option('--audience <name>', 'who the proofs are for', 'drp-identity-show')
    .option('--token-file <file>', 'look at this token, too; may be repeated', collect, [])
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Prints what the proofs say, and never the proofs. Each service has a few seconds to answer.

Exit codes: 0 there is something, 1 there is nothing, 2 the arguments are wrong

Example:
  drp identity show --audience docker.example.com`,
    )
    .action(async ({ audience, tokenFile, json = false }: ShowOptions) => {
      const { runShow } = await import('./identity/run-show.ts');
      await runShow({ audience, tokenFiles: tokenFile, json }, terminal);
    });
}

function verifyCommand(terminal: Terminal): Command {
  return new Command('verify')
    .description('check a token or document with a verifier of the configuration, step by step')
    .argument('<file>', 'what a machine shows as its password; - reads standard input')
    .requiredOption('--verifier <name>', 'name of the verifier')
    .option(CONFIG_OPTION, CONFIG_OPTION_HELP)
    .option('--username <name>', 'user name to show with it')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Nothing is kept: no machine is bound by it. What is checked is never printed.

Exit codes: 0 it is good, 1 it is not, or nobody can tell, 2 the arguments or the configuration are wrong

Example:
  drp identity verify --verifier google token.jwt`,
    )
    .action(async (file: string, { config, verifier, username, json = false }: VerifyOptions) => {
      const configFile = findConfigFile(config, terminal.env);
      const { runVerify } = await import('./identity/run-verify.ts');
      await runVerify({ file, configFile, verifier, username, json }, terminal);
    });
}
