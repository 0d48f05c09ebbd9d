import { ConfigError, type LoadedConfig } from '../../config/index.ts';
import type { ProxyOptions } from '../../proxy/index.ts';
import { EXIT } from '../errors.ts';
import { loadProxyConfig } from '../proxy-config.ts';
import { paint, type Terminal } from '../terminal.ts';

/** Loads the file as `drp serve` would, and prints what came of it. */
export async function runCheck(file: string, json: boolean, terminal: Terminal): Promise<void> {
  try {
    const loaded = await loadProxyConfig(file, terminal.env);
    terminal.print(
      json
        ? JSON.stringify({ valid: true, file, files: loaded.files, problems: [] }, null, 2)
        : `${file}: ${paint(terminal, 'green', 'good')} (${summary(loaded)})`,
    );
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    terminal.setExitCode(EXIT.usage);
    if (json) {
      const { problems, snapshot } = error;
      terminal.print(JSON.stringify({ valid: false, file, files: snapshot.files, problems }, null, 2));
    } else {
      terminal.printError(error.message);
    }
  }
}

function summary({ value, files }: LoadedConfig<ProxyOptions>): string {
  return [
    count(Object.keys(value.upstreams).length, 'upstream'),
    count(value.routes.length, 'route'),
    count(value.authentication.verifiers.length, 'verifier'),
    count(value.authorization.rules.length, 'rule'),
    count(files.length, 'file'),
  ].join(', ');
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
