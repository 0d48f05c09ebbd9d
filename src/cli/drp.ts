import type { Command } from 'commander';
import { checkCommand } from './check.ts';
import { credentialProviderCommand } from './credential-provider.ts';
import { demoCommand } from './demo.ts';
import { doctorCommand } from './doctor.ts';
import { explainCommand } from './explain.ts';
import { identityCommand } from './identity.ts';
import { imageServiceCommand } from './image-service.ts';
import { loginCommand } from './login.ts';
import { nodeCommand } from './node.ts';
import { createProgram } from './program.ts';
import { serveCommand } from './serve.ts';
import { processTerminal, type Terminal } from './terminal.ts';

/** `drp`, with all its commands. */
export function createDrp(terminal: Terminal = processTerminal): Command {
  return createProgram(
    {
      name: 'drp',
      description: 'Docker Registry Proxy: your own domain and logins in front of any registry',
      example: 'drp serve --upstream https://gcr.io/my-gcp-project',
      commands: [
        serveCommand(),
        checkCommand(terminal),
        explainCommand(terminal),
        doctorCommand(terminal),
        identityCommand(terminal),
        loginCommand(terminal),
        imageServiceCommand(),
        credentialProviderCommand(terminal),
        nodeCommand(terminal),
        demoCommand(),
      ],
    },
    terminal,
  );
}
