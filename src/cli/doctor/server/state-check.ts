import { type Check, fail, ok, warn } from '../check.ts';
import { folderAccess, modeOf } from './folder-access.ts';
import type { Site } from './site.ts';

const OTHERS = 0o077;

/** Whether logins and tokens can be kept. */
export const stateCheck: Check<Site> = {
  name: 'state',
  async run({ options: { state } }) {
    if (state.type !== 'embedded') return [];
    const { path } = state.directory;
    const found = await folderAccess(path);
    if (found === 'not-writable') {
      return fail(
        `${path} can't be written to`,
        'give it to the user that the proxy runs as, and ask as that user',
      );
    }
    if (found === 'can-be-made') return ok(`${path} will be made on first start`);
    const mode = (await modeOf(path)) ?? 0;
    return (mode & OTHERS) === 0
      ? ok(`${path} can be written to`)
      : warn(`${path} is open to other users (${mode.toString(8)})`, `chmod 700 ${path}`);
  },
};
