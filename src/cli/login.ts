import { Command } from 'commander';
import { processTerminal, type Terminal } from './terminal.ts';

interface LoginOptions {
  readonly deviceName?: string;
  readonly dockerConfig?: string;
}

/** `drp login` */
export function loginCommand(terminal: Terminal = processTerminal): Command {
  return new Command('login')
    .description('log docker in through a browser: shows a code, and keeps the token that comes of it')
    .argument('<host>', 'the registry, as in image names: docker.example.com or docker.example.com:5000')
    .option('--device-name <name>', 'what the token is called (default: drp login on this host)')
    .option('--docker-config <folder>', 'where config.json is (default: $DOCKER_CONFIG, ~/.docker)')
    .addHelpText(
      'after',
      `
The token goes to the credential helper that Docker's configuration names for the host, else into config.json. End it on
the account page of the host. A certificate authority of your own is trusted through NODE_EXTRA_CA_CERTS.

Exit codes: 0 logged in, 1 not logged in, 2 the arguments are wrong

Example:
  drp login docker.example.com`,
    )
    .action(async (host: string, options: LoginOptions) => {
      const { runLogin } = await import('./login/run-login.ts');
      await runLogin(host, options, terminal);
    });
}
