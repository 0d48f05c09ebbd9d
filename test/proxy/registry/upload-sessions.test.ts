import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RepositoryName } from '../../../src/oci/index.ts';
import { parseResource } from '../../../src/proxy/registry/operation.ts';
import {
  createUploadSessions,
  type UploadOwner,
  type UploadStep,
} from '../../../src/proxy/registry/upload-sessions.ts';
import type { StateStore } from '../../../src/state/index.ts';
import { memoryStore } from './support/memory-store.ts';

const DAY_MS = 86_400_000;
const KEY = Buffer.alloc(32, 'k');
const OTHER_KEY = Buffer.alloc(32, 'o');

const owner: UploadOwner = {
  upstream: 'main',
  name: 'app' as RepositoryName,
  repository: 'acme/app' as RepositoryName,
  identity: { verifier: 'staff', name: 'anna' },
};
const step: UploadStep = { id: 'one', location: '/v2/acme/app/blobs/uploads/1?_state=x', offset: 7 };

function sessions({ keys = [KEY], state = memoryStore() }: { keys?: Buffer[]; state?: StateStore } = {}) {
  const clock = { time: 1_700_000_000_000 };
  const made = createUploadSessions({
    secretKeys: () => keys,
    state,
    clock: { now: () => clock.time, sleep: () => new Promise(() => {}) },
  });
  return { ...made, clock };
}

const anyStep = fc.record({
  id: fc.string(),
  location: fc.string({ maxLength: 4096 }),
  offset: fc.option(fc.nat(), { nil: undefined }),
});
const name = fc.stringMatching(/^[a-z]{1,5}(\/[a-z]{1,5})?$/);
const anyOwner = fc.record({
  upstream: name,
  name,
  repository: name,
  identity: fc.record({ verifier: name, name: fc.string({ maxLength: 5 }) }),
}) as fc.Arbitrary<UploadOwner>;

describe('a session', () => {
  it('opens for its owner, on every replica with its key, and for nobody else', () => {
    const [one, other] = [sessions(), sessions()];
    fc.assert(
      fc.property(anyStep, anyOwner, anyOwner, (any, mine, theirs) => {
        const sealed = one.seal(any, mine);
        expect(other.open(sealed, mine)).toEqual(any);
        const same = JSON.stringify(mine) === JSON.stringify(theirs);
        expect(other.open(sealed, theirs) !== undefined).toBe(same);
      }),
    );
  });

  it('is a path segment, however long the place is that the upstream named', () => {
    const { seal } = sessions();
    fc.assert(
      fc.property(fc.string({ minLength: 0, maxLength: 4096 }), (location) => {
        const session = seal({ ...step, location }, owner);
        const path = `/v2/${'a/'.repeat(100)}app/blobs/uploads/${session}`;
        expect(parseResource(path)).toMatchObject({ kind: 'upload', session });
      }),
    );
    expect(seal({ ...step, location: 'x'.repeat(4096) }, owner).length).toBeLessThan(8192);
  });

  it('that was changed anywhere, or made up, opens for nobody', () => {
    const { seal, open } = sessions();
    const sealed = seal(step, owner);
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.constantFrom(...'abcXYZ019-_'), (at, letter) => {
        // The last letter may hold bits that mean nothing.
        fc.pre(at < sealed.length - 1 && sealed[at] !== letter);
        expect(open(sealed.slice(0, at) + letter + sealed.slice(at + 1), owner)).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => {
        expect(open(text, owner)).toBeUndefined();
      }),
    );
    expect(open(sealed.slice(0, -4), owner)).toBeUndefined();
    expect(open(JSON.stringify({ ...step, until: 9e15 }), owner)).toBeUndefined();
  });

  it('shows nothing of where it leads', () => {
    const sealed = sessions().seal({ ...step, location: 'https://internal.example/acme/secret' }, owner);
    expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toMatch(/internal|acme|secret/);
  });

  it('ends after a day', () => {
    const { seal, open, clock } = sessions();
    const sealed = seal(step, owner);
    clock.time += DAY_MS - 1;
    expect(open(sealed, owner)).toEqual(step);
    clock.time += 1;
    expect(open(sealed, owner)).toBeUndefined();
  });

  it('outlives its key as long as that is kept beside the new one', () => {
    const sealed = sessions().seal(step, owner);
    expect(sessions({ keys: [OTHER_KEY, KEY] }).open(sealed, owner)).toEqual(step);
    expect(sessions({ keys: [OTHER_KEY] }).open(sealed, owner)).toBeUndefined();
  });
});

describe('a chunk that broke off', () => {
  it('is found by every replica, sealed, and only where it is newer', async () => {
    const state = memoryStore();
    const [one, other] = [sessions({ state }), sessions({ state })];
    const newer = { ...step, location: '/canary?_state=y', offset: 9 };
    expect(await other.newest(step, owner)).toEqual(step);
    await one.note(newer, owner);
    expect(await other.newest(step, owner)).toEqual(newer);
    expect(await other.newest({ ...step, offset: 11 }, owner)).toEqual({ ...step, offset: 11 });
    expect(JSON.stringify(await state.get('uploads', 'one'))).not.toContain('canary');
    const newest = { ...newer, offset: 12 };
    await other.note(newest, owner);
    expect(await one.newest(step, owner)).toEqual(newest);
  });

  it('is waited for while it is on its way', async () => {
    const { whileSending, newest, note } = sessions();
    let finish = () => {};
    const sending = whileSending(step, async () => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      await note({ ...step, offset: 20 }, owner);
    });
    const asked = newest(step, owner);
    finish();
    expect(await asked).toMatchObject({ offset: 20 });
    await sending;
  });
});
