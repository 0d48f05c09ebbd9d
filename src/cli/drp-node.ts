import type { Command } from 'commander';
import { credentialProviderCommand } from './credential-provider.ts';
import { imageServiceCommand } from './image-service.ts';
import { nodeCommand } from './node.ts';
import { createProgram, runProgram } from './program.ts';
import { processTerminal, type Terminal } from './terminal.ts';

/**
 * `drp-node`: what nodes need, in one executable.
 * @param input what was read from standard input already
 */
export function createDrpNode(terminal: Terminal = processTerminal, input?: string): Command {
  const read = input === undefined ? undefined : async () => input;
  return createProgram(
    {
      name: 'drp-node',
      description: 'Docker Registry Proxy for nodes: credentials for the pulls of kubelet',
      example: 'drp-node image-service --config /etc/drp/image-service.yaml',
      commands: [imageServiceCommand(), credentialProviderCommand(terminal, read), nodeCommand(terminal)],
    },
    terminal,
  );
}

/** Runs a command of the executable. Never rejects. */
export function runDrpNode(args: readonly string[], input?: string): Promise<void> {
  return runProgram(createDrpNode(processTerminal, input), args);
}
