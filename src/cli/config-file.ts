import { existsSync } from 'node:fs';
import { UsageError } from './errors.ts';

export const CONFIG_OPTION = '-c, --config <file>';
export const CONFIG_OPTION_HELP = 'configuration file (default: $DRP_CONFIG, ./drp.yaml, /etc/drp/drp.yaml)';

const DEFAULT_FILES = ['drp.yaml', '/etc/drp/drp.yaml'];

/**
 * The configuration file to use: the one that is named, else that of the variable DRP_CONFIG, else the first default
 * that exists.
 * @throws {UsageError} when there is none
 */
export function findConfigFile(
  named: string | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
  exists: (path: string) => boolean = existsSync,
): string {
  const chosen = named ?? (env.DRP_CONFIG || undefined) ?? DEFAULT_FILES.find(exists);
  if (chosen !== undefined) return chosen;
  throw new UsageError('there is no ./drp.yaml and no /etc/drp/drp.yaml: name the file with --config FILE');
}
