export { fileHash } from './copy-program.ts';
export {
  ABSENT,
  type FileEntry,
  type PlainFile,
  restoreEntry,
  rootFile,
  rootFolder,
  type StoredEntry,
  sameContent,
  sameEntry,
  storeEntry,
} from './file-entry.ts';
export { createHostFiles, type HostFiles, temporaryName } from './host-files.ts';
