import { Command } from 'commander';
import { CONFIG_OPTION, CONFIG_OPTION_HELP, findConfigFile } from './config-file.ts';
import type { Question } from './explain/explain.ts';
import { processTerminal, type Terminal } from './terminal.ts';

interface ExplainOptions extends Omit<Question, 'repository'> {
  readonly config?: string;
  readonly json?: boolean;
}

/** `drp explain` */
export function explainCommand(terminal: Terminal = processTerminal): Command {
  const collect = (value: string, earlier: readonly string[]): string[] => [...earlier, value];
  return new Command('explain')
    .description('say where a name leads, and rule by rule why somebody may or may not use it')
    .argument('<repository>', 'name as a client asks for it, without host and tag')
    .option(CONFIG_OPTION, CONFIG_OPTION_HELP)
    .option('--user <name>', 'who asks')
    .option('--verifier <name>', 'which verifier knows them (default: the only one)')
    .option('--group <name>', 'a group they are in; may be repeated', collect, [])
    .option(
      '--claim <key=value>',
      'a claim they have, as text; key:=json for other values; may be repeated',
      collect,
      [],
    )
    .option('--anonymous', 'somebody without a login asks')
    .option('--action <action>', 'pull, push or delete', 'pull')
    .option('--host <host>', 'host that the client asks (default: that of server.publicUrl)')
    .option('--namespace <host>', 'registry that a containerd mirror stands for (?ns=)')
    .option('--verbose', 'also say which verifiers a login of this user would go to', false)
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
No credential is checked: the answer is for somebody who has logged in as told.

Exit codes: 0 allowed, 1 denied, 2 the arguments or the configuration are wrong

Examples:
  drp explain --user ada --group platform platform/app
  drp explain --anonymous --host docker.example.com team/app`,
    )
    .action(async (repository: string, { config, json = false, ...question }: ExplainOptions) => {
      const file = findConfigFile(config, terminal.env);
      const { runExplain } = await import('./explain/run-explain.ts');
      await runExplain(file, { ...question, repository }, json, terminal);
    });
}
