import { parse } from 'yaml';
import { SetupError } from '../errors.ts';
import type { HostFiles } from '../host/index.ts';
import type { KubeletFlags } from './kubelet-flags.ts';

/** The settings of kubelet's configuration that concern us. */
export interface KubeletConfig {
  readonly imageServiceEndpoint: string | undefined;
  readonly containerRuntimeEndpoint: string | undefined;
  readonly healthzPort: number | undefined;
}

/** What a kubelet reads when it starts: `--config`, then `--config-dir`, the later ones winning. */
export interface ConfigPlaces {
  readonly files: readonly string[];
  /** `--config-dir` and the folders below; kubelet goes through all of them, each where its name stands. */
  readonly folders: readonly string[];
}

export async function configPlaces(flags: KubeletFlags, files: HostFiles): Promise<ConfigPlaces> {
  const main = flags.last('config');
  const folder = flags.last('config-dir');
  const below = folder ? await files.walk(folder) : [];
  const inFolder = below.filter(({ path, isFolder }) => !isFolder && path.endsWith('.conf'));
  const folders = below.filter(({ isFolder }) => isFolder);
  return {
    files: [...(main ? [main] : []), ...inFolder.map(({ path }) => path)],
    folders: folder ? [folder, ...folders.map(({ path }) => path)] : [],
  };
}

/**
 * Reads what a running kubelet was told to read.
 * @param except a file of ours that is to be passed over
 * @throws {SetupError} when a file is missing, or is no KubeletConfiguration
 */
export async function readKubeletConfig(
  flags: KubeletFlags,
  files: HostFiles,
  except?: string,
): Promise<KubeletConfig> {
  const merged: Record<string, unknown> = {};
  for (const path of (await configPlaces(flags, files)).files) {
    if (path !== except) Object.assign(merged, await readConfigFile(path, files));
  }
  return kubeletConfigOf(merged);
}

/** Whether a file has a word on the image service, be it that there is none. */
export function setsImageService(document: Readonly<Record<string, unknown>>): boolean {
  return Object.hasOwn(document, 'imageServiceEndpoint');
}

/** Picks the settings out of a configuration that was read already. */
export function kubeletConfigOf(document: Readonly<Record<string, unknown>>): KubeletConfig {
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
  const { imageServiceEndpoint, containerRuntimeEndpoint, healthzPort } = document;
  return {
    imageServiceEndpoint: text(imageServiceEndpoint),
    containerRuntimeEndpoint: text(containerRuntimeEndpoint),
    healthzPort: typeof healthzPort === 'number' ? healthzPort : undefined,
  };
}

/** @throws {SetupError} when it is missing, or is no KubeletConfiguration */
export async function readConfigFile(path: string, files: HostFiles): Promise<Record<string, unknown>> {
  const text = await files.readText(path);
  if (text === undefined) throw new SetupError('refused', `kubelet reads ${path}, but there is no such file`);
  let document: unknown;
  try {
    document = parse(text, { maxAliasCount: 0 });
  } catch (cause) {
    throw new SetupError('refused', `${path} is no YAML that we understand`, { cause });
  }
  if (document === null) return {};
  if (typeof document !== 'object' || Array.isArray(document)) {
    throw new SetupError('refused', `${path} is no KubeletConfiguration`);
  }
  return { ...document };
}
