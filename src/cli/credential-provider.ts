import { Command } from 'commander';
import type { CredentialProviderCommandOptions } from './credential-provider/command-options.ts';
import { DEFAULT_CONFIG } from './credential-provider/default-config.ts';
import { processTerminal, type Terminal } from './terminal.ts';

/** `drp credential-provider` */
export function credentialProviderCommand(
  terminal: Terminal = processTerminal,
  input?: () => Promise<string>,
): Command {
  return new Command('credential-provider')
    .description("answer kubelet's exec plugin protocol: a credential for one image")
    .option('-c, --config <file>', 'configuration file; that of the image service will do', DEFAULT_CONFIG)
    .option(
      '--cache-directory <folder>',
      'keep credentials there between two starts, best on a file system that forgets: /run/drp/credentials',
    )
    .addHelpText(
      'after',
      `
Kubelet starts this for a pull, and asks on standard input (credentialprovider.kubelet.k8s.io/v1). Nothing but the answer
goes to standard output.

Exit codes: 0 answered, 1 no answer, 2 the arguments or the configuration are wrong

Example:
  drp credential-provider --config /etc/drp/image-service.yaml < request.json`,
    )
    .action(async (options: CredentialProviderCommandOptions) => {
      const { runCredentialProvider } = await import('./credential-provider/run-credential-provider.ts');
      await runCredentialProvider(options, terminal, input);
    });
}
