import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FolderReference } from '../../../../src/core/index.ts';
import { newMachineNonce } from '../../../../src/machine-identity/index.ts';
import {
  createInstanceRecords,
  type InstanceRecordsOptions,
} from '../../../../src/proxy/identity/instance-records/index.ts';
import { createStateStore, type StateStore } from '../../../../src/state/index.ts';
import { ownFolder } from '../../../support/own-folder.ts';
import { createStillClock } from '../support/still-clock.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const MINE = newMachineNonce(randomBytes);
const THEIRS = newMachineNonce(randomBytes);

async function setUp(options: Partial<InstanceRecordsOptions> = {}) {
  const clock = createStillClock();
  const directory = new FolderReference(await ownFolder());
  const open = (): StateStore => {
    const store = createStateStore({ type: 'embedded', directory }, { clock });
    onTestFinished(() => store.close());
    return store;
  };
  const state = open();
  const recordsOf = (store: StateStore, own: Partial<InstanceRecordsOptions> = {}) =>
    createInstanceRecords(
      {
        verifier: 'nodes',
        firstUseMs: HOUR_MS,
        leewayMs: MINUTE_MS,
        keepMs: 24 * HOUR_MS,
        ...options,
        ...own,
      },
      { state: store, clock },
    );
  const records = recordsOf(state);
  const started = clock.now();
  const admit = (nonce: string, documentTime = started, instance = 'i-1') =>
    records.admit({ instance, documentTime, nonce });
  return { clock, state, open, recordsOf, records, started, admit };
}

const REFUSED = { type: 'refused' };
const ADMITTED = { type: 'admitted' };

describe('the first document of an instance', () => {
  it('binds it to the nonce that came along, for good', async () => {
    const { admit, clock } = await setUp();
    expect(await admit(MINE)).toMatchObject(ADMITTED);
    expect(await admit(MINE)).toMatchObject(ADMITTED);
    clock.advance(20 * HOUR_MS);
    expect(await admit(MINE)).toMatchObject(ADMITTED);
  });

  it('is of no use to a second machine', async () => {
    const { admit } = await setUp();
    await admit(MINE);
    expect(await admit(THEIRS)).toMatchObject({
      ...REFUSED,
      reason: expect.stringContaining('another nonce'),
    });
    expect(await admit(MINE)).toMatchObject(ADMITTED);
  });

  it('binds no other instance, and none of another verifier', async () => {
    const { admit, recordsOf, state, started } = await setUp();
    await admit(MINE);
    expect(await admit(THEIRS, started, 'i-2')).toMatchObject(ADMITTED);
    const others = recordsOf(state, { verifier: 'others' });
    expect(await others.admit({ instance: 'i-1', documentTime: started, nonce: THEIRS })).toMatchObject(
      ADMITTED,
    );
  });

  it.each([
    ['as old as is allowed', HOUR_MS + MINUTE_MS, ADMITTED],
    ['older than is allowed', HOUR_MS + MINUTE_MS + 1, REFUSED],
    ['of the next minute', -MINUTE_MS, ADMITTED],
    ['of the future', -MINUTE_MS - 1, REFUSED],
    ['of no time', Number.NaN, REFUSED],
  ])('may not be %s', async (_, age, expected) => {
    const { admit, started } = await setUp();
    expect(await admit(MINE, started - age)).toMatchObject(expected);
  });

  it.each(['', 'short', 'x'.repeat(44), `${MINE}\n`])('needs a nonce that is one: not %j', async (nonce) => {
    const { admit } = await setUp();
    expect(await admit(nonce)).toMatchObject(REFUSED);
  });

  it('of many who are the first at once is exactly one', async () => {
    const { open, recordsOf, started } = await setUp();
    const replicas = [recordsOf(open()), recordsOf(open()), recordsOf(open())];
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        replicas[index % replicas.length]?.admit({
          instance: 'i-1',
          documentTime: started,
          nonce: newMachineNonce(randomBytes),
        }),
      ),
    );
    expect(outcomes.filter((outcome) => outcome?.type === 'admitted')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome?.type === 'refused')).toHaveLength(29);
  });
});

describe('a later document of an instance', () => {
  it('that is older than one before is refused, also with the nonce', async () => {
    const { admit, started } = await setUp();
    await admit(MINE, started - 5);
    expect(await admit(MINE, started)).toMatchObject(ADMITTED);
    expect(await admit(MINE, started - 5)).toMatchObject({
      ...REFUSED,
      reason: expect.stringContaining('older'),
    });
    expect(await admit(MINE, started)).toMatchObject(ADMITTED);
  });

  it('needs the nonce although it is newer', async () => {
    const { admit, started } = await setUp();
    await admit(MINE, started - 5);
    expect(await admit(THEIRS, started)).toMatchObject(REFUSED);
    expect(await admit(MINE, started - 5)).toMatchObject(ADMITTED);
  });

  it('may be old where no greatest age is set, and not where one is', async () => {
    const { admit, clock, recordsOf, state, started } = await setUp();
    await admit(MINE);
    clock.advance(10 * HOUR_MS);
    expect(await admit(MINE)).toMatchObject(ADMITTED);
    const strict = recordsOf(state, { maximumAgeMs: 5 * HOUR_MS });
    expect(await strict.admit({ instance: 'i-1', documentTime: started, nonce: MINE })).toMatchObject(
      REFUSED,
    );
  });

  it('binds anew after a restart where that is allowed, and ends the binding before', async () => {
    const { admit, records, started, clock } = await setUp({ rebind: true });
    const first = await admit(MINE);
    expect(await admit(THEIRS)).toMatchObject(REFUSED);
    clock.advance(3 * HOUR_MS);
    expect(await admit(THEIRS, started + 1)).toMatchObject(REFUSED);
    expect(await admit(THEIRS, clock.now())).toMatchObject(ADMITTED);
    expect(await admit(MINE, clock.now())).toMatchObject(REFUSED);
    expect(await records.confirm('i-1', 'anchor' in first ? first.anchor : '')).toMatchObject(REFUSED);
  });

  it('is admitted for all of many who come at once with the nonce', async () => {
    const { open, recordsOf, started } = await setUp();
    const replicas = [recordsOf(open()), recordsOf(open())];
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        replicas[index % 2]?.admit({ instance: 'i-1', documentTime: started, nonce: MINE }),
      ),
    );
    expect(outcomes.every((outcome) => outcome?.type === 'admitted')).toBe(true);
  });
});

describe('a binding', () => {
  it('is kept for as long as it is used, and then some', async () => {
    const { admit, records, clock, state } = await setUp();
    const first = await admit(MINE);
    const anchor = 'anchor' in first ? first.anchor : '';
    for (let day = 0; day < 3; day += 1) {
      clock.advance(20 * HOUR_MS);
      expect(await records.confirm('i-1', anchor)).toEqual({ type: 'admitted', anchor });
    }
    clock.advance(24 * HOUR_MS);
    expect(await records.confirm('i-1', anchor)).toMatchObject(REFUSED);
    expect(await state.get('instances', JSON.stringify(['nodes', 'i-1']))).toBeUndefined();
    // Its document is too old to bind again: what has ended does not open the door to a thief.
    expect(await admit(THEIRS)).toMatchObject(REFUSED);
  });

  it('outlives each document that could make it, whatever is asked for', async () => {
    const { admit, clock } = await setUp({ keepMs: 0 });
    await admit(MINE);
    clock.advance(HOUR_MS + MINUTE_MS - 1);
    expect(await admit(THEIRS)).toMatchObject(REFUSED);
    clock.advance(2);
    expect(await admit(THEIRS)).toMatchObject(REFUSED);
  });

  it('outlives a document that is ahead of our clock, too', async () => {
    const { admit, clock, started } = await setUp({ keepMs: 0 });
    const ahead = started + MINUTE_MS;
    await admit(MINE, ahead);
    clock.advance(HOUR_MS + 2 * MINUTE_MS - 1);
    expect(await admit(THEIRS, ahead)).toMatchObject(REFUSED);
    clock.advance(2);
    expect(await admit(THEIRS, ahead)).toMatchObject(REFUSED);
  });

  it('is confirmed for its own mark alone', async () => {
    const { admit, records } = await setUp();
    const first = await admit(MINE);
    const anchor = 'anchor' in first ? first.anchor : '';
    for (const wrong of [undefined, '', `${anchor}x`, anchor.slice(1)]) {
      expect(await records.confirm('i-1', wrong)).toMatchObject(REFUSED);
    }
    expect(await records.confirm('i-2', anchor)).toMatchObject(REFUSED);
  });

  it('shows nobody the nonce', async () => {
    const { admit, state } = await setUp();
    await admit(MINE);
    expect((await state.get('instances', JSON.stringify(['nodes', 'i-1'])))?.value).not.toContain(MINE);
  });

  it('that can not be read is no first use', async () => {
    const { admit, state, clock, records } = await setUp();
    await state.insert('instances', JSON.stringify(['nodes', 'i-1']), '{"v":9}', clock.now() + HOUR_MS);
    await expect(admit(MINE)).rejects.toThrow('can not be read');
    expect(await records.confirm('i-1', 'x')).toMatchObject(REFUSED);
  });

  it('can not be told while the state is out of reach', async () => {
    const { admit, state, records } = await setUp();
    await state.close();
    await expect(admit(MINE)).rejects.toThrow();
    await expect(records.confirm('i-1', 'x')).rejects.toThrow();
  });
});
