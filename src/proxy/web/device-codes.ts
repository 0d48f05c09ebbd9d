import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../core/index.ts';
import type { StateStore } from '../../state/index.ts';

const deviceRecord = z.object({
  userCode: z.string(),
  /** What the device calls itself; anybody may have written it. */
  label: z.string(),
  /** The address that the device asked from. */
  client: z.string(),
  created: z.number(),
  decision: z.union([
    z.literal('none'),
    z.literal('denied'),
    z.object({ verifier: z.string(), personId: z.string() }),
  ]),
  /** Milliseconds that the device has to leave between two polls. */
  intervalMs: z.number(),
  polledAt: z.number().optional(),
});
export type DeviceRequest = z.infer<typeof deviceRecord>;

export interface BegunDevice {
  readonly deviceCode: string;
  /** As people read it: XXXX-XXXX. */
  readonly userCode: string;
  readonly lifetimeSeconds: number;
  readonly intervalSeconds: number;
}

export type Polled =
  | { readonly type: 'pending' | 'slow-down' | 'denied' | 'unknown' }
  | {
      readonly type: 'approved';
      readonly verifier: string;
      readonly personId: string;
      readonly label: string;
    };

/** Codes of devices that wait for somebody to let them in. Every call rejects when the state store is down. */
export interface DeviceCodes {
  begin(asked: Pick<DeviceRequest, 'label' | 'client'>): Promise<BegunDevice>;
  /** A request that nobody has decided yet. @param userCode as it was typed */
  find(userCode: string): Promise<DeviceRequest | undefined>;
  /** @returns false when it has ended, or was decided already */
  decide(userCode: string, decision: DeviceRequest['decision']): Promise<boolean>;
  /** An approval is answered once, and then forgotten. */
  poll(deviceCode: string): Promise<Polled>;
}

const DEVICES = 'device-codes';
const USER_CODES = 'device-user-codes';
const LIFETIME_MS = 10 * 60_000;
const INTERVAL_MS = 5000;
/** A device that is to leave so much and still polls too early is told so, and nothing is written any more. */
const LONGEST_INTERVAL_MS = 60_000;
/** A poll that comes a little early is the network's doing. */
const EARLY_MS = 500;
const DEVICE_CODE_BYTES = 32;
/** No vowels, so no words; nothing that looks like something else. @see RFC 8628, section 6.1 */
const ALPHABET = 'BCDFGHJKLMNPQRSTVWXZ';
const USER_CODE_LENGTH = 8;
const ATTEMPTS = 5;

export function createDeviceCodes(dependencies: {
  readonly state: StateStore;
  readonly clock: Clock;
  readonly randomBytes: (size: number) => Buffer;
}): DeviceCodes {
  const { state, clock, randomBytes } = dependencies;

  async function read(id: string) {
    const stored = await state.get(DEVICES, id);
    const request = stored && deviceRecord.safeParse(JSON.parse(stored.value)).data;
    return request && { id, request, version: stored.version, expiresAt: stored.expiresAt };
  }

  async function readByUserCode(typed: string) {
    const userCode = normalUserCode(typed);
    const pointer = userCode && (await state.get(USER_CODES, userCode));
    return pointer ? read(pointer.value) : undefined;
  }

  async function write(found: NonNullable<Awaited<ReturnType<typeof read>>>, change: Partial<DeviceRequest>) {
    const value = JSON.stringify({ ...found.request, ...change });
    return state.replace(DEVICES, found.id, value, found.expiresAt, found.version);
  }

  return {
    async begin({ label, client }) {
      const deviceCode = randomBytes(DEVICE_CODE_BYTES).toString('base64url');
      const expiresAt = clock.now() + LIFETIME_MS;
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const userCode = newUserCode(randomBytes);
        if (!(await state.insert(USER_CODES, userCode, idOf(deviceCode), expiresAt))) continue;
        const request: DeviceRequest = {
          userCode,
          label,
          client,
          created: clock.now(),
          decision: 'none',
          intervalMs: INTERVAL_MS,
        };
        await state.insert(DEVICES, idOf(deviceCode), JSON.stringify(request), expiresAt);
        return {
          deviceCode,
          userCode,
          lifetimeSeconds: LIFETIME_MS / 1000,
          intervalSeconds: INTERVAL_MS / 1000,
        };
      }
      throw new Error('no user code was free');
    },
    async find(userCode) {
      const found = await readByUserCode(userCode);
      return found?.request.decision === 'none' ? found.request : undefined;
    },
    async decide(userCode, decision) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const found = await readByUserCode(userCode);
        if (found?.request.decision !== 'none') return false;
        if (await write(found, { decision })) return true;
      }
      return false;
    },
    async poll(deviceCode) {
      const found = await read(idOf(deviceCode));
      if (!found) return { type: 'unknown' };
      const { decision, polledAt, intervalMs, label, userCode } = found.request;
      if (decision === 'none') {
        const tooEarly = polledAt !== undefined && clock.now() - polledAt < intervalMs - EARLY_MS;
        if (tooEarly && intervalMs >= LONGEST_INTERVAL_MS) return { type: 'slow-down' };
        const slower = tooEarly ? { intervalMs: intervalMs + INTERVAL_MS } : {};
        await write(found, { polledAt: clock.now(), ...slower });
        return { type: tooEarly ? 'slow-down' : 'pending' };
      }
      await state.delete(USER_CODES, userCode);
      // Of two polls at once, one deletes it.
      if (!(await state.delete(DEVICES, found.id))) return { type: 'unknown' };
      return decision === 'denied' ? { type: 'denied' } : { type: 'approved', ...decision, label };
    },
  };
}

/** What was typed, in the one form that codes have; undefined for what can be none. */
export function normalUserCode(typed: string): string | undefined {
  const letters = typed.toUpperCase().replace(/[\s-]/g, '');
  const isCode =
    letters.length === USER_CODE_LENGTH && [...letters].every((letter) => ALPHABET.includes(letter));
  return isCode ? `${letters.slice(0, 4)}-${letters.slice(4)}` : undefined;
}

function newUserCode(randomBytes: (size: number) => Buffer): string {
  // Bytes at or above the last multiple of the alphabet's length would favour its first letters.
  const bound = 256 - (256 % ALPHABET.length);
  let letters = '';
  while (letters.length < USER_CODE_LENGTH) {
    for (const byte of randomBytes(USER_CODE_LENGTH)) {
      if (byte < bound && letters.length < USER_CODE_LENGTH) letters += ALPHABET[byte % ALPHABET.length];
    }
  }
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
}

function idOf(deviceCode: string): string {
  return createHash('sha256').update(deviceCode).digest('base64url');
}
