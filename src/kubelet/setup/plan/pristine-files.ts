import { basename, dirname, isAbsolute, join } from 'node:path/posix';
import { SetupError } from '../errors.ts';
import { ABSENT, type FileEntry, type HostFiles, type PlainFile } from '../host/index.ts';
import type { LiveKubelet } from '../platform/index.ts';
import type { NamedUnitFile } from '../unit-file/index.ts';
import { FILE_HEADER, FLAGS_VARIABLE } from './names.ts';
import { entryWithoutUs, type InstalledRecord } from './record.ts';

/**
 * Kubelet's unit files as they would be without us.
 * @throws {SetupError} when a change of ours is in a file that we have no record of
 */
export async function filesWithoutUs(
  kubelet: LiveKubelet,
  record: InstalledRecord | undefined,
  files: HostFiles,
): Promise<NamedUnitFile[]> {
  const found = await Promise.all(
    kubelet.files.map(async ({ path, text }): Promise<NamedUnitFile | undefined> => {
      const without = await textWithoutUs(path, text, record, files);
      if (without !== undefined) {
        requireUntouched(path, without);
        return { path, text: without };
      }
      // Without our copy in /etc the file behind it is read again.
      const behind = record?.shadowed[path];
      const behindText = behind === undefined ? undefined : await files.readText(behind);
      return behind !== undefined && behindText !== undefined
        ? { path: behind, text: behindText }
        : undefined;
    }),
  );
  return found.filter((file) => file !== undefined);
}

/**
 * One of these files with its mode, its owner and all its bytes.
 * @throws {SetupError} when it is gone meanwhile
 */
export async function fileWithoutUs(
  path: string,
  record: InstalledRecord | undefined,
  files: HostFiles,
): Promise<PlainFile> {
  const file = await fileOf(path, entryWithoutUs(path, await files.snapshot(path), record), files);
  if (!file) throw new SetupError('refused', `${path} is gone: systemctl daemon-reload`);
  return file;
}

async function textWithoutUs(
  path: string,
  text: string,
  record: InstalledRecord | undefined,
  files: HostFiles,
): Promise<string | undefined> {
  if (isOurDropIn(path, text)) return undefined;
  const change = record?.changes.find((known) => known.path === path);
  if (change?.after.type !== 'file') return text;
  const current: FileEntry = { ...change.after, content: Buffer.from(text) };
  const without = await fileOf(path, entryWithoutUs(path, current, record), files);
  return without?.content.toString('utf8');
}

async function fileOf(path: string, entry: FileEntry, files: HostFiles): Promise<PlainFile | undefined> {
  if (entry.type === 'file') return entry;
  if (entry.type !== 'link') return undefined;
  return files.readFile(isAbsolute(entry.target) ? entry.target : join(dirname(path), entry.target));
}

/** A drop-in of our own is known by its header, also when the record was lost. */
function isOurDropIn(path: string, text: string): boolean {
  return basename(path).endsWith('drp.conf') && text.startsWith(FILE_HEADER);
}

function requireUntouched(path: string, text: string): void {
  if (!text.includes(FLAGS_VARIABLE)) return;
  throw new SetupError(
    'refused',
    `${path} has a change of ours (${FLAGS_VARIABLE}) and others that we do not know: take ours out, then install again`,
  );
}

/** How a path was before us; a unit file of our own that nobody has a record of was not there. */
export function pristineEntry(
  path: string,
  current: FileEntry,
  record: InstalledRecord | undefined,
): FileEntry {
  const isOurs =
    current.type === 'file' &&
    /(?:^|[-.])drp(?:[-.]|$)/.test(basename(path)) &&
    current.content.toString('utf8').startsWith(FILE_HEADER);
  const without = entryWithoutUs(path, current, record);
  return isOurs && without === current ? ABSENT : without;
}
