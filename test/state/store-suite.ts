import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/core/index.ts';
import type { StateStore } from '../../src/state/index.ts';

/** A place for records that can be opened more than once. */
export interface StoreFixture {
  /** Another store over the same records. */
  open(clock: Clock): Promise<StateStore>;
  close(): Promise<void>;
}

/** What every {@link StateStore} has to do. */
export function describeStateStore(title: string, setUp: () => Promise<StoreFixture>): void {
  describe(`${title}, as a state store`, () => {
    const START = 1_700_000_000_000;
    let fixture: StoreFixture;
    let store: StateStore;
    let now: number;
    const clock: Clock = { now: () => now, sleep: () => Promise.reject(new Error('no sleep')) };

    beforeEach(async () => {
      now = START;
      fixture = await setUp();
      store = await fixture.open(clock);
    });
    afterEach(async () => {
      await store.close();
      await fixture.close();
    });

    async function versionOf(key: string): Promise<number> {
      const record = await store.get('c', key);
      if (!record) throw new Error(`there is no ${key}`);
      return record.version;
    }

    it('gives back what was inserted', async () => {
      expect(await store.get('c', 'k')).toBeUndefined();
      expect(await store.insert('c', 'k', 'value', START + 1000)).toBe(true);
      expect(await store.get('c', 'k')).toEqual({
        value: 'value',
        version: expect.any(Number),
        expiresAt: START + 1000,
      });
    });

    it('inserts each key once', async () => {
      await store.insert('c', 'k', 'first', START + 1000);
      expect(await store.insert('c', 'k', 'second', START + 9000)).toBe(false);
      expect(await store.get('c', 'k')).toMatchObject({ value: 'first', expiresAt: START + 1000 });
    });

    it('keeps collections and keys apart', async () => {
      await store.insert('a', 'k', '1', START + 1000);
      await store.insert('b', 'k', '2', START + 1000);
      await store.insert('a', 'K', '3', START + 1000);
      await store.insert('a:k', '', '4', START + 1000);
      await store.delete('b', 'k');
      expect((await store.get('a', 'k'))?.value).toBe('1');
      expect(await store.get('b', 'k')).toBeUndefined();
      expect((await store.get('a', 'K'))?.value).toBe('3');
      expect((await store.get('a:k', ''))?.value).toBe('4');
    });

    it.each([
      '',
      ' ',
      "'; DROP TABLE records; --",
      '%',
      '*',
      'ключ',
      '🔑',
      'a/b:c',
      '__proto__',
      'x'.repeat(5000),
    ])('takes %j for a key and a value', async (text) => {
      expect(await store.insert('c', text, text, START + 1000)).toBe(true);
      expect((await store.get('c', text))?.value).toBe(text);
      expect(await store.delete('c', text)).toBe(true);
    });

    it('replaces the version that is expected, and no other', async () => {
      await store.insert('c', 'k', 'first', START + 1000);
      const version = await versionOf('k');
      expect(await store.replace('c', 'k', 'second', START + 2000, version)).toBe(true);
      expect(await store.replace('c', 'k', 'third', START + 2000, version)).toBe(false);
      expect(await store.get('c', 'k')).toMatchObject({ value: 'second', expiresAt: START + 2000 });
      expect(await versionOf('k')).not.toBe(version);
      expect(await store.replace('c', 'other', 'x', START + 2000, version)).toBe(false);
      expect(await store.get('c', 'other')).toBeUndefined();
    });

    it('does not take a record that was made again for the one before', async () => {
      await store.insert('c', 'k', 'first', START + 1000);
      const version = await versionOf('k');
      await store.delete('c', 'k');
      await store.insert('c', 'k', 'second', START + 1000);
      expect(await store.replace('c', 'k', 'third', START + 1000, version)).toBe(false);
    });

    it('forgets a record at the millisecond it expires, for every call', async () => {
      for (const key of ['get', 'insert', 'replace', 'delete'])
        await store.insert('c', key, 'x', START + 1000);
      const version = await versionOf('replace');
      now = START + 999;
      expect(await store.get('c', 'get')).toBeDefined();
      now = START + 1000;
      expect(await store.get('c', 'get')).toBeUndefined();
      expect(await store.replace('c', 'replace', 'y', START + 9000, version)).toBe(false);
      expect(await store.delete('c', 'delete')).toBe(false);
      expect(await store.insert('c', 'insert', 'y', START + 9000)).toBe(true);
      expect((await store.get('c', 'insert'))?.value).toBe('y');
      expect(await store.get('c', 'replace')).toBeUndefined();
    });

    it('deletes, and says whether there was something', async () => {
      await store.insert('c', 'k', 'x', START + 1000);
      expect(await store.delete('c', 'k')).toBe(true);
      expect(await store.delete('c', 'k')).toBe(false);
      expect(await store.get('c', 'k')).toBeUndefined();
    });

    it('lets exactly one of many replace a version, and one of many insert a key', async () => {
      const other = await fixture.open(clock);
      try {
        const inserted = await Promise.all(
          Array.from({ length: 20 }, (_, n) =>
            (n % 2 ? store : other).insert('c', 'k', `${n}`, START + 1000),
          ),
        );
        expect(inserted.filter(Boolean)).toHaveLength(1);
        const version = await versionOf('k');
        const replaced = await Promise.all(
          Array.from({ length: 20 }, (_, n) =>
            (n % 2 ? store : other).replace('c', 'k', `r${n}`, START + 1000, version),
          ),
        );
        expect(replaced.filter(Boolean)).toHaveLength(1);
        expect((await other.get('c', 'k'))?.value).toBe(`r${replaced.indexOf(true)}`);
      } finally {
        await other.close();
      }
    });

    it('keeps records when it is opened again', async () => {
      await store.insert('c', 'k', 'value', START + 1000);
      const before = await store.get('c', 'k');
      await store.close();
      store = await fixture.open(clock);
      expect(await store.get('c', 'k')).toEqual(before);
    });

    it('rejects after it was closed; closing twice is fine', async () => {
      await store.close();
      await store.close();
      await expect(store.get('c', 'k')).rejects.toThrow();
      await expect(store.insert('c', 'k', 'v', START + 1000)).rejects.toThrow();
      await expect(store.replace('c', 'k', 'v', START + 1000, 1)).rejects.toThrow();
      await expect(store.delete('c', 'k')).rejects.toThrow();
    });
  });
}
