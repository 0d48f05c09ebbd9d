import { ConfigError, type LoadedConfig } from '../../config/index.ts';
import type { ProxyOptions } from '../../proxy/index.ts';
import { EXIT } from '../errors.ts';
import { loadProxyConfig } from '../proxy-config.ts';
import { paint, type Terminal } from '../terminal.ts';
import { configKind } from './config-kind.ts';

/** Loads the file as `drp serve` or `drp image-service` would, and prints what came of it. */
export async function runCheck(file: string, json: boolean, terminal: Terminal): Promise<void> {
  try {
    const isImageService = (await configKind(file)) === 'image-service';
    const { files, text } = await (isImageService ? checkImageService : checkProxy)(file, terminal);
    terminal.print(
      json
        ? JSON.stringify({ valid: true, file, files, problems: [] }, null, 2)
        : `${file}: ${paint(terminal, 'green', 'good')} (${text})`,
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

interface Good {
  readonly files: readonly string[];
  /** What is in it, in short. */
  readonly text: string;
}

async function checkImageService(file: string, { env }: Terminal): Promise<Good> {
  const { loadImageServiceConfig } = await import('../image-service/image-service-config.ts');
  const { value, files } = await loadImageServiceConfig(file, { env });
  const rules = count(value.credentials.length, 'credential rule');
  return {
    files,
    text: `image service, ${value.backend.type} backend, ${rules}, ${count(files.length, 'file')}`,
  };
}

async function checkProxy(file: string, { env }: Terminal): Promise<Good> {
  const loaded = await loadProxyConfig(file, env);
  return { files: loaded.files, text: summary(loaded) };
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
