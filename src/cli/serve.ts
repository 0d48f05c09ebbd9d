import { Command, Option } from 'commander';
import type { LoadedConfig } from '../config/index.ts';
import type { ProxyOptions } from '../proxy/index.ts';
import { CONFIG_OPTION, CONFIG_OPTION_HELP, findConfigFile } from './config-file.ts';
import { UsageError } from './errors.ts';

interface ServeOptions {
  readonly config?: string;
  readonly upstream?: string;
  readonly address?: string;
  readonly htpasswd?: string;
  readonly dockerConfig?: string;
  readonly anonymous?: boolean;
}

const DEFAULT_ADDRESS = '127.0.0.1:5000';

/** `drp serve` */
export function serveCommand(): Command {
  return new Command('serve')
    .description('run the proxy')
    .option(CONFIG_OPTION, CONFIG_OPTION_HELP)
    .addOption(
      new Option(
        '--upstream <url>',
        'serve this one registry, without a file: https://host or https://host/prefix',
      ).conflicts('config'),
    )
    .option('--address <host:port>', `with --upstream: where to listen (default: ${DEFAULT_ADDRESS})`)
    .option('--htpasswd <file>', 'with --upstream: users who may log in (bcrypt)')
    .option('--docker-config <file>', 'with --upstream: config.json with the login for the upstream')
    .option('--anonymous', 'with --upstream: let anybody who reaches the address pull')
    .addHelpText(
      'after',
      `
SIGTERM and SIGINT let running pulls end first; a second one ends at once. SIGHUP loads the configuration again, and so
does any change of the file or of a file that it names.

Exit codes: 0 ended by a signal, 1 failed, 2 the configuration is wrong

Examples:
  drp serve --config drp.yaml
  drp serve --upstream https://gcr.io/my-gcp-project`,
    )
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
  const { runProxy } = await import('./serve/run-proxy.ts');
  await runProxy(await configurationOf(options));
}

async function configurationOf(options: ServeOptions): Promise<() => Promise<LoadedConfig<ProxyOptions>>> {
  const { loadProxyConfig, proxyConfigFromValue } = await import('./proxy-config.ts');
  if (options.upstream === undefined) {
    const { config, ...others } = options;
    const [ignored] = Object.keys(others);
    if (ignored !== undefined) {
      throw new UsageError(`--${ignored.replace(/[A-Z]/g, '-$&').toLowerCase()} only goes with --upstream`);
    }
    const file = findConfigFile(config);
    return () => loadProxyConfig(file);
  }
  const { quickConfiguration } = await import('./serve/quick-options.ts');
  const value = quickConfiguration({ address: DEFAULT_ADDRESS, ...options, upstream: options.upstream });
  return () => proxyConfigFromValue(value, process.cwd());
}
