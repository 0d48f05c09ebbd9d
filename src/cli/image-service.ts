import { Command } from 'commander';

/** `drp image-service` */
export function imageServiceCommand(): Command {
  return new Command('image-service')
    .description("serve kubelet's --image-service-endpoint: adds the right credential to every pull")
    .requiredOption('-c, --config <file>', 'configuration file, such as /etc/drp/image-service.yaml')
    .addHelpText(
      'after',
      `
Started by a socket unit of systemd, it serves that socket; else it makes the one that the file names. It tells systemd
when it is ready (Type=notify) and that it is alive (WatchdogSec=).
SIGTERM and SIGINT let running pulls end first; a second one ends at once. SIGHUP loads the configuration again, and so
does any change of the file or of a file that it names.

Exit codes: 0 ended by a signal, 1 failed, 2 the configuration is wrong

Example:
  drp image-service --config /etc/drp/image-service.yaml`,
    )
    .action(async ({ config }: { readonly config: string }) => {
      const { runImageService } = await import('./image-service/run-image-service.ts');
      await runImageService(config);
    });
}
