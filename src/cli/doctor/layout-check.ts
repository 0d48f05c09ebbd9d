import { access, constants } from 'node:fs/promises';
import { type Check, fail, ok, reasonOf } from './check.ts';

/** Whether an image layout is there and can be read. The subject is its folder. */
export const layoutCheck: Check<string> = {
  name: 'layout',
  async run(folder) {
    try {
      await access(folder, constants.R_OK | constants.X_OK);
      return ok(`${folder} can be read`);
    } catch (error) {
      return fail(reasonOf(error), 'correct layout, or give the folder to the user that the proxy runs as');
    }
  },
};
