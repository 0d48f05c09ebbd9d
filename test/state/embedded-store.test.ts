import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, FolderReference, systemClock } from '../../src/core/index.ts';
import { createStateStore, StateError } from '../../src/state/index.ts';
import { describeStateStore } from './store-suite.ts';

function open(directory: string, clock: Clock = systemClock) {
  return createStateStore({ type: 'embedded', directory: new FolderReference(directory) }, { clock });
}

describeStateStore('embedded', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'state-'));
  return {
    open: async (clock) => open(directory, clock),
    close: () => rm(directory, { recursive: true }),
  };
});

describe('the embedded state store', () => {
  let parent: string;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'state-'));
  });
  afterEach(() => rm(parent, { recursive: true }));

  it('makes its folder and files for their owner only', async () => {
    const directory = join(parent, 'a', 'data');
    const store = open(directory);
    await store.insert('c', 'k', 'v', Date.now() + 60_000);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    const files = await readdir(directory);
    expect(files).toContain('state.db');
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) expect((await stat(join(directory, file))).mode & 0o777).toBe(0o600);
    await store.close();
  });

  it('takes rights away from a file that was open to others', async () => {
    const path = join(parent, 'state.db');
    await writeFile(path, '');
    await chmod(path, 0o666);
    await open(parent).close();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('deletes what has expired as fast as it comes in', async () => {
    let now = 1_000_000;
    const store = open(parent, { now: () => now, sleep: () => new Promise(() => {}) });
    const steps = 60;
    for (let step = 0; step < steps; step += 1) {
      for (let index = 0; index < 100; index += 1)
        await store.insert('c', `${step}-${index}`, '', now + 60_000);
      now += 10_000;
    }
    now += 120_000;
    for (let write = 0; write < 15; write += 1) {
      await store.insert('c', `late-${write}`, '', now + 60_000);
      now += 1_000;
    }
    const database = new Database(join(parent, 'state.db'));
    const row = database.prepare('SELECT count(*) AS count FROM records WHERE expires_at <= ?').get(now);
    expect(row).toMatchObject({ count: 0 });
    database.close();
    await store.close();
  });

  it('does not follow a symbolic link that was planted', async () => {
    const target = join(parent, 'target');
    const directory = join(parent, 'data');
    await mkdir(directory);
    await symlink(target, join(directory, 'state.db'));
    expect(() => open(directory)).toThrow(StateError);
    await expect(stat(target)).rejects.toThrow('ENOENT');
  });

  it('names a file that it can not read', async () => {
    await writeFile(join(parent, 'state.db'), 'this is no database, only text'.repeat(100));
    expect(() => open(parent)).toThrow(StateError);
    expect(() => open(parent)).toThrow(/state\.db can't be opened: /);
  });

  it('refuses a file of a newer version', async () => {
    await open(parent).close();
    const database = new Database(join(parent, 'state.db'));
    database.exec('PRAGMA user_version = 99');
    database.close();
    expect(() => open(parent)).toThrow(/newer version/);
  });

  it('deletes what has expired, now and then, when it writes', async () => {
    let now = 1000;
    const store = open(parent, { now: () => now, sleep: async () => undefined });
    for (let n = 0; n < 600; n += 1) await store.insert('c', `k${n}`, 'v', 2000);
    const count = (): unknown => {
      const database = new Database(join(parent, 'state.db'));
      const row = database.prepare('SELECT count(*) AS n FROM records').get() as { n: number };
      database.close();
      return row.n;
    };
    now = 61_000;
    await store.insert('c', 'live', 'v', 1_000_000);
    expect(count()).toBe(101);
    await store.insert('c', 'another', 'v', 1_000_000);
    expect(count()).toBe(102);
    now = 121_000;
    await store.delete('c', 'another');
    expect(count()).toBe(1);
    await store.close();
  });
});
