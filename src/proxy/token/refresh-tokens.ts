import type { Clock, Secret } from '../../core/index.ts';
import type { StateStore } from '../../state/index.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { Authenticator, Identity } from '../identity/index.ts';
import {
  formatRefreshToken,
  hashSecret,
  isHashOf,
  newFamily,
  newSecret,
  parseRefreshRecord,
  parseRefreshToken,
  type RefreshRecord,
  type RefreshToken,
} from './refresh-record.ts';

/** A refresh token that was good when it was opened. */
export interface OpenedRefresh {
  readonly type: 'opened';
  /** With the groups of today. */
  readonly identity: Identity;
  readonly token: RefreshToken;
  readonly anchor: string | undefined;
}

export type RefreshRefusal =
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'cannot-tell'; readonly reason: string; readonly cause?: unknown };

/**
 * Refresh tokens, kept as families: a token and its successors. Nothing that could be shown as a token is stored.
 * A family ends at a fixed time after the login, however often it is used.
 *
 * A `fixed` family has one token for its whole life, because `docker login` stores what it got and never takes a
 * successor. In a `rotating` one each token is good for one exchange: showing a spent one again means that two
 * parties hold it, and revokes the family, unless it comes within {@link GRACE_MS} of the exchange, as from two
 * processes of one client: then it is honoured once more, but has no successor.
 *
 * Every call rejects when the state store is out of reach.
 *
 * @see RFC 6749, section 6; RFC 9700, section 4.14
 */
export interface RefreshTokens {
  create(
    kind: 'fixed' | 'rotating',
    service: string,
    identity: Identity,
    anchor: string | undefined,
  ): Promise<Secret>;
  /** Checks a token, and asks its verifier whether the identity still holds. */
  open(token: Secret, service: string, signal: AbortSignal): Promise<OpenedRefresh | RefreshRefusal>;
  /** @returns the successor; undefined for a token that has none */
  rotate(opened: OpenedRefresh): Promise<Secret | undefined | RefreshRefusal>;
  /** Deletes the family of a token that was ever good; others are ignored. */
  revoke(token: Secret): Promise<void>;
}

export interface RefreshTokensDependencies {
  readonly authenticator: Pick<Authenticator, 'renew'>;
  readonly state: StateStore;
  readonly clock: Clock;
  readonly randomBytes: (size: number) => Buffer;
  readonly log: Logger;
}

const COLLECTION = 'refresh-tokens';
const GRACE_MS = 10_000;
const REMEMBERED_SPENT_TOKENS = 16;
/** Each lost race means that somebody else won it; more in a row than this is a defect. */
const ROTATION_ATTEMPTS = 5;

const UNKNOWN: RefreshRefusal = { type: 'refused', reason: 'the refresh token is not known, or has ended' };

interface Found {
  readonly record: RefreshRecord;
  readonly version: number;
  readonly expiresAt: number;
  /** Whether the token is the one that is good, not one that was spent a moment ago. */
  readonly isCurrent: boolean;
}

export function createRefreshTokens(
  options: { readonly lifetimeMs: number },
  dependencies: RefreshTokensDependencies,
): RefreshTokens {
  const { authenticator, state, clock, randomBytes, log } = dependencies;

  async function find({ family, secret }: RefreshToken): Promise<Found | RefreshRefusal> {
    const stored = await state.get(COLLECTION, family);
    const record = stored && parseRefreshRecord(stored.value);
    if (!record) return UNKNOWN;
    const { version, expiresAt } = stored;
    if (isHashOf(record.secretHash, secret)) return { record, version, expiresAt, isCurrent: true };
    const spent = record.spent.find(({ secretHash }) => isHashOf(secretHash, secret));
    if (!spent) return UNKNOWN;
    if (clock.now() - spent.at <= GRACE_MS) return { record, version, expiresAt, isCurrent: false };
    await state.delete(COLLECTION, family);
    const { verifier, name } = record.identity;
    log.warn({ verifier, name }, 'a spent refresh token was shown again: its family is revoked');
    return { type: 'refused', reason: 'the refresh token was spent before: its family is revoked' };
  }

  async function exchange(
    found: Found,
    { token, identity, anchor }: OpenedRefresh,
  ): Promise<Secret | undefined> {
    const successor: RefreshToken = { family: token.family, secret: newSecret(randomBytes) };
    const { secretHash, spent } = found.record;
    const record: RefreshRecord = {
      ...found.record,
      secretHash: hashSecret(successor.secret),
      identity: mutableCopy(identity),
      anchor,
      spent: [{ secretHash, at: clock.now() }, ...spent].slice(0, REMEMBERED_SPENT_TOKENS),
    };
    const value = JSON.stringify(record);
    const won = await state.replace(COLLECTION, token.family, value, found.expiresAt, found.version);
    return won ? formatRefreshToken(successor) : undefined;
  }

  return {
    async create(kind, service, identity, anchor) {
      const token: RefreshToken = { family: newFamily(randomBytes), secret: newSecret(randomBytes) };
      const record: RefreshRecord = {
        secretHash: hashSecret(token.secret),
        kind,
        service,
        identity: mutableCopy(identity),
        anchor,
        spent: [],
        created: clock.now(),
      };
      const expiresAt = record.created + options.lifetimeMs;
      if (!(await state.insert(COLLECTION, token.family, JSON.stringify(record), expiresAt))) {
        throw new Error('a new family of refresh tokens has the name of another');
      }
      return formatRefreshToken(token);
    },
    async open(shown, service, signal) {
      const token = parseRefreshToken(shown);
      if (!token) return { type: 'refused', reason: 'this is no refresh token' };
      const found = await find(token);
      if ('type' in found) return found;
      const { record } = found;
      if (record.service !== service) {
        return { type: 'refused', reason: 'the refresh token is for another service' };
      }
      const outcome = await authenticator.renew(record.identity, record.anchor, signal);
      if (outcome.type === 'refused') await state.delete(COLLECTION, token.family);
      if (outcome.type !== 'identity') return outcome;
      return { type: 'opened', identity: outcome.identity, token, anchor: outcome.anchor ?? record.anchor };
    },
    async rotate(opened) {
      for (let attempt = 0; attempt < ROTATION_ATTEMPTS; attempt += 1) {
        const found = await find(opened.token);
        if ('type' in found) return found;
        if (found.record.kind === 'fixed' || !found.isCurrent) return undefined;
        const successor = await exchange(found, opened);
        if (successor) return successor;
      }
      return { type: 'cannot-tell', reason: 'the refresh token is exchanged too often at once' };
    },
    async revoke(shown) {
      const token = parseRefreshToken(shown);
      const stored = token && (await state.get(COLLECTION, token.family));
      const record = stored && parseRefreshRecord(stored.value);
      if (!token || !record) return;
      const hashes = [record.secretHash, ...record.spent.map(({ secretHash }) => secretHash)];
      if (hashes.some((hash) => isHashOf(hash, token.secret))) await state.delete(COLLECTION, token.family);
    },
  };
}

function mutableCopy({ verifier, name, groups, claims }: Identity): RefreshRecord['identity'] {
  return { verifier, name, groups: [...groups], claims: { ...claims } };
}
