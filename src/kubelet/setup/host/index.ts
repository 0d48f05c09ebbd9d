export { fileHash } from './copy-program.ts';
export {
  ABSENT,
  type FileEntry,
  restoreEntry,
  rootFile,
  rootFolder,
  type StoredEntry,
  sameEntry,
  storeEntry,
} from './file-entry.ts';
export { createHostFiles, type HostFiles, temporaryName } from './host-files.ts';
