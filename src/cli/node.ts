import { Command, InvalidArgumentError, Option } from 'commander';
import { parseDurationMs } from '../core/index.ts';
import type { NodeGuardFlags, NodeInstallFlags, NodeStatusFlags, NodeUndoFlags } from './node/flags.ts';
import { processTerminal, type Terminal } from './terminal.ts';

const SOCKET = '/run/drp/image-service.sock';
const EXIT_CODES =
  'Exit codes: 0 done, or nothing to do, 1 it went wrong: the message says how the node is, 2 the arguments are wrong';

/** `drp node` */
export function nodeCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('node').description(
    'put the image service on a Kubernetes node and let kubelet use it; needs root',
  );
  command.addHelpText(
    'after',
    `
${EXIT_CODES}

Example:
  drp node install --config image-service.yaml --dry-run`,
  );
  for (const sub of [
    installCommand(terminal),
    statusCommand(terminal),
    uninstallCommand(terminal),
    rollbackCommand(terminal),
    guardCommand(terminal),
  ]) {
    command.addCommand(sub);
  }
  return command;
}

function installCommand(terminal: Terminal): Command {
  const command = new Command('install')
    .description(
      'install the image service, or another version of it; undone by itself when kubelet is not well',
    )
    .option('--dry-run', 'show what would be changed, and change nothing', false)
    .addOption(
      new Option(
        '--strategy <name>',
        'how kubelet is told (default: as it is now, else the first that this node has)',
      ).choices(['config-dir', 'drop-in', 'unit']),
    )
    .option('--config <file>', 'configuration of the image service to put on the host')
    .option('--config-file <path>', 'where it is on the host', '/etc/drp/image-service.yaml')
    .option('--socket <path>', 'where the image service listens', SOCKET)
    .option('--executable <file>', 'single-file program to copy to the host (default: this program)')
    .option('--executable-folder <path>', 'where to copy it (default: the first that allows execution)')
    .option('--kubelet-unit <name>', "kubelet's systemd unit", 'kubelet.service')
    .option(
      '--undo-after <duration>',
      'the host undoes what is not finished after as long, again and again until it is done',
      duration,
      600_000,
    )
    .addHelpText(
      'after',
      `
${EXIT_CODES}

Examples:
  drp node install --config image-service.yaml --dry-run
  drp node install --config image-service.yaml
  drp node install --host-root /host --executable /usr/local/bin/drp`,
    )
    .action(async (flags: NodeInstallFlags) => {
      const { runInstall } = await import('./node/run-install.ts');
      await runInstall(flags, terminal);
    });
  return withCommon(withHealth(withTurn(command)));
}

function statusCommand(terminal: Terminal): Command {
  const command = new Command('status')
    .description('say whether the running kubelet uses the image service, and whether all is well')
    .option('--socket <path>', 'where the image service listens, if nothing is installed', SOCKET)
    .option('--kubelet-unit <name>', "kubelet's systemd unit", 'kubelet.service')
    .option('--node-name <name>', 'in a cluster: this node (default: $NODE_NAME)')
    .addHelpText(
      'after',
      `
Exit codes: 0 in use and well, 1 anything else, 2 the arguments are wrong

Example:
  drp node status --json`,
    )
    .action(async (flags: NodeStatusFlags) => {
      const { runStatus } = await import('./node/run-status.ts');
      await runStatus(flags, terminal);
    });
  return withCommon(command);
}

function uninstallCommand(terminal: Terminal): Command {
  const command = new Command('uninstall')
    .description('put everything back as it was: kubelet first, then the service')
    .addHelpText('after', `\n${EXIT_CODES}\n\nExample:\n  drp node uninstall`)
    .action(async (flags: NodeUndoFlags) => {
      const { runUninstall } = await import('./node/run-undo.ts');
      await runUninstall(flags, terminal);
    });
  return withCommon(withHealth(withTurn(command)));
}

function rollbackCommand(terminal: Terminal): Command {
  const command = new Command('rollback')
    .description('undo an installation that did not end; the host does so by itself')
    .option('--boot', 'before kubelet is started: restart nothing')
    .addHelpText('after', `\n${EXIT_CODES}\n\nExample:\n  drp node rollback`)
    .action(async (flags: NodeUndoFlags) => {
      const { runRollback } = await import('./node/run-undo.ts');
      await runRollback(flags, terminal);
    });
  return withCommon(withHealth(withTurn(command)));
}

function guardCommand(terminal: Terminal): Command {
  return new Command('guard')
    .description('before kubelet starts: tell it of the image service if that answers; units call this')
    .option('--socket <path>', 'where the image service listens', SOCKET)
    .option('--environment-file <path>', "file for systemd's EnvironmentFile=")
    .option('--kubelet-config <path>', "file in kubelet's --config-dir")
    .option('--wait <duration>', 'how long to wait for an image service that is starting', duration, 20_000)
    .addHelpText(
      'after',
      `
Exit codes: 0 decided, 1 the file can't be written, 2 the arguments are wrong

Example:
  drp node guard --environment-file /run/drp/kubelet.env`,
    )
    .action(async (flags: NodeGuardFlags) => {
      const { runGuardCommand } = await import('./node/run-guard.ts');
      await runGuardCommand(flags, terminal);
    });
}

function withCommon(command: Command): Command {
  return command
    .option('--host-root <path>', "where the host's / is mounted", '/')
    .option('--json', 'print steps and result as lines of JSON', false);
}

function withTurn(command: Command): Command {
  return command
    .option('--no-lease', 'in a cluster: do not wait for other nodes that are changed')
    .option('--node-name <name>', 'in a cluster: this node (default: $NODE_NAME)');
}

function withHealth(command: Command): Command {
  return command
    .option('--healthy-for <duration>', 'kubelet has to stay well for as long', duration, 15_000)
    .option('--healthy-within <duration>', 'kubelet has to be well within', duration, 120_000);
}

function duration(text: string): number {
  const milliseconds = parseDurationMs(text);
  if (milliseconds === undefined || milliseconds <= 0) {
    throw new InvalidArgumentError('expected a duration such as 30s or 10m.');
  }
  return milliseconds;
}
