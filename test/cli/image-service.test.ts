import { link, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PerformanceObserver } from 'node:perf_hooks';
import { describe, expect, it, vi } from 'vitest';
import { loadImageServiceConfig } from '../../src/cli/image-service/image-service-config.ts';
import { ownFolder } from '../support/own-folder.ts';
import { run } from './run-program.ts';

async function configuration(text: string): Promise<string> {
  const file = join(await ownFolder(), 'image-service.yaml');
  await writeFile(file, text);
  return file;
}

const WRONG = [
  ['backend: { type: cri, sokket: /x }', /:1:23: backend\.sokket: unknown key; did you mean socket\?/],
  ['backend: { type: cri, socket: x }', /:1:31: backend\.socket: expected an absolute path/],
  ['backend: { type: podman }', /backend/],
  ['backend: { type: cri, socket: /run/drp/image-service.sock }', /is our own socket/],
  [`socket: /${'x'.repeat(100)}\nbackend: { type: cri }`, /socket: expected at most 95 bytes/],
  [
    'backend: { type: cri }\ncredentials: [{ images: ["a.b/**"], provider: { type: static, username: a } }]',
    /credentials\[0\]\.provider: needs exactly one of/,
  ],
  [
    'backend: { type: cri }\ncredentials: [{ images: ["a.b/**"], provider: { type: docker-config, file: none } }]',
    /credentials\[0\]\.provider\.file: there is no file/,
  ],
] as const;

describe('drp check', () => {
  it('knows a file of the image service by its backend', async () => {
    const file = await configuration('backend: { type: cri }\n');
    expect(await run(['check', '--config', file])).toMatchObject({
      out: `${file}: good (image service, cri backend, 0 credential rules, 1 file)`,
      exitCode: 0,
    });
  });

  it.each(WRONG)('says what is wrong in %j, and where', async (text, message) => {
    const { error, exitCode } = await run(['check', '--config', await configuration(text)]);
    expect(error).toMatch(message);
    expect(exitCode).toBe(2);
  });
});

describe('the own socket as that of the backend', () => {
  it('is refused by whatever path, also while it is not there', async () => {
    const folder = await ownFolder();
    await mkdir(join(folder, 'run'));
    await symlink('run', join(folder, 'var'));
    await symlink('var/s.sock', join(folder, 'link'));
    const check = async (backend: string) => {
      const file = await configuration(
        `socket: ${folder}/run/s.sock\nbackend: { type: cri, socket: ${folder}/${backend} }\n`,
      );
      return (await run(['check', '--config', file])).error;
    };
    for (const path of ['run/s.sock', 'var/s.sock', 'link']) {
      expect(await check(path)).toMatch(/:2:31: backend\.socket: is our own socket/);
    }
    expect(await check('run/runtime.sock')).toBe('');
    await writeFile(join(folder, 'run/s.sock'), '');
    await link(join(folder, 'run/s.sock'), join(folder, 'other'));
    for (const path of ['var/s.sock', 'link', 'other']) expect(await check(path)).toMatch(/is our own/);
    await writeFile(join(folder, 'run/runtime.sock'), '');
    expect(await check('var/runtime.sock')).toBe('');
  });
});

it('checking a configuration leaves nothing behind that watches the process', async () => {
  const rule = (host: string) =>
    `  - { images: ["${host}/**"], provider: { type: static, username: a, password: b } }\n`;
  const file = await configuration(
    `backend: { type: cri }\ncredentials:\n${rule('a.example.com')}${rule('b.example.com')}`,
  );
  const observe = vi.spyOn(PerformanceObserver.prototype, 'observe');
  for (let loads = 0; loads < 3; loads += 1) await loadImageServiceConfig(file, { env: {} });
  expect(observe).not.toHaveBeenCalled();
  observe.mockRestore();
});

describe('drp image-service', () => {
  it('wants a configuration file', async () => {
    expect(await run(['image-service'])).toMatchObject({
      exitCode: 2,
      error: expect.stringMatching(/--config/),
    });
  });

  it('does not start with a wrong one', async () => {
    const { error, exitCode } = await run(['image-service', '--config', await configuration(WRONG[0][0])]);
    expect(error).toMatch(WRONG[0][1]);
    expect(exitCode).toBe(2);
  });

  it('does not start where something is in the way, and says what to do', async () => {
    const folder = await ownFolder();
    await mkdir(join(folder, 's.sock'));
    const file = join(folder, 'image-service.yaml');
    await writeFile(file, `socket: ${folder}/s.sock\nbackend: { type: cri }\n`);
    const { error, exitCode } = await run(['image-service', '--config', file]);
    expect(error).toMatch(/is no socket: remove it, or name another socket/);
    expect(exitCode).toBe(1);
  });

  it('has help with an example', async () => {
    expect((await run(['image-service', '--help'])).out).toContain(
      'drp image-service --config /etc/drp/image-service.yaml',
    );
  });
});
