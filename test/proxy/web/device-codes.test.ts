import * as crypto from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, FolderReference } from '../../../src/core/index.ts';
import { createDeviceCodes, type DeviceCodes } from '../../../src/proxy/web/device-codes.ts';
import { createStateStore, type StateStore } from '../../../src/state/index.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.ts';

const ASKED = { label: 'box', client: '127.0.0.1' };
const ANNA = { verifier: 'staff', personId: 'anna' };

describe('device codes', () => {
  let folder: TemporaryFolder;
  let state: StateStore;
  let codes: DeviceCodes;
  let now: number;

  beforeEach(async () => {
    now = 1_700_000_000_000;
    const clock: Clock = { now: () => now, sleep: () => Promise.reject(new Error('no sleep')) };
    folder = await createTemporaryFolder('device');
    state = createStateStore({ type: 'embedded', directory: new FolderReference(folder.path) }, { clock });
    codes = createDeviceCodes({ state, clock, randomBytes: crypto.randomBytes });
  });
  afterEach(async () => {
    await state.close();
    await folder.close();
  });

  it('answer an approval once, to one of two polls at once', async () => {
    const { deviceCode, userCode } = await codes.begin(ASKED);
    await codes.decide(userCode, ANNA);
    const answers = await Promise.all([codes.poll(deviceCode), codes.poll(deviceCode)]);
    expect(answers.map(({ type }) => type).sort()).toEqual(['approved', 'unknown']);
  });

  it('are decided once, by one of two people at once', async () => {
    const { userCode } = await codes.begin(ASKED);
    const ben = { verifier: 'staff', personId: 'ben' };
    const decided = await Promise.all([codes.decide(userCode, ANNA), codes.decide(userCode, ben)]);
    expect(decided.sort()).toEqual([false, true]);
  });

  it('end after ten minutes', async () => {
    const { deviceCode, userCode } = await codes.begin(ASKED);
    now += 10 * 60_000 - 1;
    expect(await codes.find(userCode)).toMatchObject(ASKED);
    now += 1;
    expect(await codes.find(userCode)).toBeUndefined();
    expect(await codes.decide(userCode, ANNA)).toBe(false);
    expect(await codes.poll(deviceCode)).toEqual({ type: 'unknown' });
  });

  it('want five seconds between polls, and five more after each that came too early', async () => {
    const { deviceCode } = await codes.begin(ASKED);
    const pollAfter = async (seconds: number) => {
      now += seconds * 1000;
      return (await codes.poll(deviceCode)).type;
    };
    expect(await pollAfter(0)).toBe('pending');
    expect(await pollAfter(5)).toBe('pending');
    expect(await pollAfter(4)).toBe('slow-down');
    expect(await pollAfter(5)).toBe('slow-down');
    expect(await pollAfter(15)).toBe('pending');
  });

  it('are spread over all letters', async () => {
    const seen = new Set<string>();
    for (let count = 0; count < 60; count += 1) {
      for (const letter of (await codes.begin(ASKED)).userCode) seen.add(letter);
    }
    expect([...seen].sort().join('')).toBe('-BCDFGHJKLMNPQRSTVWXZ');
  });

  it('are stored in no form that a device could show', async () => {
    const { deviceCode, userCode } = await codes.begin(ASKED);
    const pointer = await state.get('device-user-codes', userCode);
    const record = await state.get('device-codes', pointer?.value ?? '');
    expect(record).toBeDefined();
    expect(`${pointer?.value}${record?.value}`).not.toContain(deviceCode);
  });
});
