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
export { createHostFiles, type HostFiles } from './host-files.ts';
