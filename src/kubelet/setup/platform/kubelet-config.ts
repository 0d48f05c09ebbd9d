import { join } from 'node:path/posix';
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

/**
 * Reads what a running kubelet was told to read: `--config`, then the files of `--config-dir`, the later ones winning.
 * @param except a file of ours that is to be passed over
 * @throws {SetupError} when a file is missing, or is no KubeletConfiguration
 */
export async function readKubeletConfig(
  flags: KubeletFlags,
  files: HostFiles,
  except?: string,
): Promise<KubeletConfig> {
  const paths: string[] = [];
  const main = flags.last('config');
  const folder = flags.last('config-dir');
  if (main) paths.push(main);
  if (folder) {
    const names = (await files.list(folder)).filter((name) => name.endsWith('.conf')).sort();
    paths.push(...names.map((name) => join(folder, name)));
  }
  let merged: KubeletConfig = {
    imageServiceEndpoint: undefined,
    containerRuntimeEndpoint: undefined,
    healthzPort: undefined,
  };
  for (const path of paths.filter((path) => path !== except)) {
    const read = kubeletConfigOf(await readDocument(path, files));
    merged = {
      imageServiceEndpoint: read.imageServiceEndpoint ?? merged.imageServiceEndpoint,
      containerRuntimeEndpoint: read.containerRuntimeEndpoint ?? merged.containerRuntimeEndpoint,
      healthzPort: read.healthzPort ?? merged.healthzPort,
    };
  }
  return merged;
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

async function readDocument(path: string, files: HostFiles): Promise<Record<string, unknown>> {
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
