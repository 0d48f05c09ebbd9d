import { dirname } from 'node:path';
import { type Check, fail, ok } from '../check.ts';
import { folderAccess, modeOf } from './folder-access.ts';
import type { Site } from './site.ts';

const OTHERS = 0o077;

/** Whether the key that signs tokens is there, and for its owner alone. */
export const signingKeyCheck: Check<Site> = {
  name: 'signing key',
  async run({ options: { tokens } }) {
    const { path, contents } = tokens.signingKeyFile;
    if (contents === undefined) {
      if ((await folderAccess(dirname(path))) !== 'not-writable')
        return ok(`${path} will be made on first start`);
      return fail(
        `${path} is missing and can't be made`,
        'make its folder writable for the user that the proxy runs as',
      );
    }
    const mode = (await modeOf(path)) ?? 0;
    if ((mode & OTHERS) === 0) return ok(`${path} is for its owner alone`);
    return fail(
      `${path} is open to other users (${mode.toString(8)}): whoever reads it can make tokens`,
      `chmod 600 ${path}; where others may have read it, delete it and restart: all tokens end, and clients fetch new ones`,
    );
  },
};
