import { join } from 'node:path/posix';
import { SetupError } from '../errors.ts';
import type { HostFiles } from '../host/index.ts';
import { configPlaces, type KubeletFlags, readConfigFile, setsImageService } from '../platform/index.ts';
import { KUBELET_CONFIG_NAME } from './names.ts';
import type { Strategy } from './options.ts';

/**
 * How kubelet is told: as it was asked for, else by a file in its `--config-dir`, where it would listen to that.
 * @param ours endpoints of our own
 * @throws {SetupError} when a file was asked for, and kubelet would not listen to it
 */
export async function chooseStrategy(
  wanted: Strategy | undefined,
  flags: KubeletFlags,
  ours: readonly string[],
  files: HostFiles,
): Promise<Strategy> {
  const folder = flags.last('config-dir');
  if (!folder) return wanted ?? 'drop-in';
  const winner = await findWinner(folder, flags, ours, files);
  const strategy = wanted ?? (winner === undefined ? 'config-dir' : 'drop-in');
  if (strategy !== 'config-dir' || winner === undefined) return strategy;
  throw new SetupError(
    'refused',
    `${winner} wins over a file of ours in --config-dir: use --strategy drop-in`,
  );
}

/** What kubelet would listen to rather than to our file. */
async function findWinner(
  folder: string,
  flags: KubeletFlags,
  ours: readonly string[],
  files: HostFiles,
): Promise<string | undefined> {
  const flagged = flags.all('image-service-endpoint').find((endpoint) => !ours.includes(endpoint));
  if (flagged !== undefined) return `--image-service-endpoint=${flagged}`;
  const places = await configPlaces(flags, files);
  for (const path of places.files) {
    const isLater = path.startsWith(`${folder}/`) && comesAfterOurs(path.slice(folder.length + 1));
    if (isLater && setsImageService(await readConfigFile(path, files))) return path;
  }
  return undefined;
}

/** By bytes, as kubelet goes through the folder; one below it stands where its name does. */
function comesAfterOurs(path: string): boolean {
  const [name = ''] = path.split('/');
  return Buffer.compare(Buffer.from(name), Buffer.from(KUBELET_CONFIG_NAME)) > 0;
}

/** The file in `--config-dir` that the guard writes. */
export function decisionInConfigFolder(flags: KubeletFlags): string | undefined {
  const folder = flags.last('config-dir');
  return folder ? join(folder, KUBELET_CONFIG_NAME) : undefined;
}
