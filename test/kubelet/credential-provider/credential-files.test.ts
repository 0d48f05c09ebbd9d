import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/core/index.ts';
import { createCredentialFiles } from '../../../src/kubelet/credential-provider/index.ts';
import { ownFolder } from '../../support/own-folder.ts';

const NOW = 1_800_000_000_000;
const KEY = 'docker.example.com';
const request = { image: `${KEY}/app`, serviceAccountToken: undefined };
const kept = {
  credential: { username: 'acme', password: new Secret('canary') },
  reach: { cacheKeyType: 'Registry', key: KEY },
  until: NOW + 1000,
} as const;

let folder: string;
let config: string;
beforeEach(async () => {
  const top = await ownFolder();
  folder = join(top, 'kept');
  config = join(top, 'config.yaml');
  await writeFile(config, 'credentials: []');
});

const files = () => createCredentialFiles(folder, config, () => [config]);

describe('a credential that was kept', () => {
  it('is found by the next start, until its time is over', () => {
    files().keep(request, kept);
    expect(files().find(request, ['other', KEY], NOW)?.credential.password.reveal()).toBe('canary');
    expect(files().find(request, ['other', KEY], NOW + 1000)).toBeUndefined();
    expect(files().find(request, ['other'], NOW)).toBeUndefined();
  });

  it("is for the pod's token that it was got with", () => {
    files().keep({ ...request, serviceAccountToken: new Secret('a') }, kept);
    expect(files().find(request, [KEY], NOW)).toBeUndefined();
    expect(files().find({ ...request, serviceAccountToken: new Secret('b') }, [KEY], NOW)).toBeUndefined();
    expect(files().find({ ...request, serviceAccountToken: new Secret('a') }, [KEY], NOW)).toBeDefined();
  });

  it('is forgotten when the configuration, or a file that it names, changes', async () => {
    files().keep(request, kept);
    await writeFile(config, 'credentials: [ ]');
    expect(files().find(request, [KEY], NOW)).toBeUndefined();
  });

  it('is readable by its owner only', async () => {
    files().keep(request, kept);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    const [name = ''] = await readdir(folder);
    expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
    expect(name).not.toContain('docker.example.com');
  });
});

describe('nothing is kept or found in', () => {
  it('a folder that others may enter', async () => {
    await mkdir(folder);
    await chmod(folder, 0o755);
    files().keep(request, kept);
    expect(await readdir(folder)).toEqual([]);
  });

  it('what only leads to a folder', async () => {
    const elsewhere = await ownFolder();
    await chmod(elsewhere, 0o700);
    await symlink(elsewhere, folder);
    files().keep(request, kept);
    expect(await readdir(elsewhere)).toEqual([]);
  });

  it('a file that was cut short', async () => {
    files().keep(request, kept);
    const [name = ''] = await readdir(folder);
    const text = await readFile(join(folder, name), 'utf8');
    await writeFile(join(folder, name), text.slice(0, 20));
    expect(files().find(request, [KEY], NOW)).toBeUndefined();
  });
});
