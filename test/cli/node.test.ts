import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ownFolder } from '../support/own-folder.ts';
import { run } from './run-program.ts';

describe('drp node', () => {
  it.each(['install', 'status', 'uninstall', 'rollback', 'guard'])(
    '%s has help with an example',
    async (name) => {
      const { out, exitCode } = await run(['node', name, '--help']);
      expect(exitCode).toBe(0);
      expect(out).toMatch(/^Examples?:$/m);
      expect(out).toMatch(/^Exit codes: 0 /m);
    },
  );

  it.each([
    ['--socket', '/run/a b.sock'],
    ['--socket', '/run/a\nExecStart=/bin/evil'],
    ['--socket', '/run/%n.sock'],
    ['--config-file', '/etc/drp/"; rm'],
    ['--config-file', 'relative.yaml'],
    ['--executable-folder', '/opt/../bin'],
    ['--kubelet-unit', 'kubelet.service kubelet.socket'],
    ['--kubelet-unit', '../kubelet.service'],
    ['--undo-after', 'soon'],
    ['--undo-after', '449s'],
    ['--healthy-within', '5m'],
    ['--strategy', 'other'],
    ['--config', '/does/not/exist.yaml'],
  ])('install refuses %s %j before it looks at the host', async (option, value) => {
    const { error, exitCode } = await run(['node', 'install', '--executable', '/bin/true', option, value]);
    expect(exitCode).toBe(2);
    expect(error.split('\n')).toHaveLength(1);
  });

  it('install wants a program that the host can have', async () => {
    const { error, exitCode } = await run(['node', 'install', '--host-root', await ownFolder()]);
    expect({ error, exitCode }).toEqual({
      error: 'drp: the host does not have this program: name one with --executable',
      exitCode: 2,
    });
  });

  it.each(['install', 'status', 'uninstall', 'rollback'])(
    '%s says when there is no systemd',
    async (name) => {
      const root = await ownFolder();
      const program = name === 'install' ? ['--executable', '/bin/true'] : [];
      const { error, exitCode } = await run(['node', name, '--host-root', root, ...program]);
      expect(exitCode).toBe(1);
      expect(error).toContain("systemd can't be reached");
    },
  );
});

describe('drp node guard', () => {
  it('lets kubelet start without an image service that does not answer', async () => {
    const folder = await ownFolder();
    const file = join(folder, 'kubelet.env');
    await writeFile(file, 'DRP_KUBELET_FLAGS=old');
    const socket = join(folder, 'missing.sock');
    const { out, exitCode } = await run([
      ...['node', 'guard', '--socket', socket, '--environment-file', file, '--wait', '1ms'],
    ]);
    expect(exitCode).toBe(0);
    expect(out).toContain('without the image service');
    expect(existsSync(file)).toBe(false);
  });

  it.each([[[]], [['--environment-file', '/run/a', '--kubelet-config', '/etc/b']]])(
    'wants one file to write: %j',
    async (args) => {
      expect(await run(['node', 'guard', ...args])).toMatchObject({ exitCode: 2 });
    },
  );
});
