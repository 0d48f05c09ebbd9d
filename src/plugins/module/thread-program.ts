/**
 * What a thread starts from: a file beside this one. The executable for nodes has no files, so there this module is
 * replaced by one that holds the program's text.
 */
export const THREAD_PROGRAM: { readonly program: URL | string; readonly isText: boolean } = {
  program: new URL('./thread-main.mjs', import.meta.url),
  isText: false,
};
