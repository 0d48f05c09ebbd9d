import { isIP } from 'node:net';
import type { AnswerHeaders } from '../transport/index.ts';

/** What a registry says about how much may still be pulled. */
export interface RateLimit {
  /** Pulls in a window; undefined where only what is left is told. */
  readonly limit: number | undefined;
  /** Pulls that are left. */
  readonly remaining: number;
  /** Length of the window, where it is told. */
  readonly windowSeconds: number | undefined;
  /** Whom the registry counts for: the address that the request came from, or the account. */
  readonly countedBy: 'address' | 'account' | undefined;
}

const MAXIMUM_LENGTH = 256;
/** A number, and parameters of which only the window matters: `100;w=21600`. A list begins with what counts now. */
const AMOUNT = /^\s*(\d{1,9})\s*((?:;[^,;]*)*)(?:,|$)/;
const WINDOW = /;\s*w\s*=\s*(\d{1,9})\s*(?:;|$)/;

/**
 * Reads `RateLimit-Limit`, `RateLimit-Remaining` and `Docker-RateLimit-Source`.
 * @returns undefined where nothing is said about what is left
 * @see Docker Hub, "Usage and limits"; draft-ietf-httpapi-ratelimit-headers
 */
export function readRateLimit(headers: AnswerHeaders): RateLimit | undefined {
  const remaining = amount(headers.get('ratelimit-remaining'));
  if (!remaining) return undefined;
  const limit = amount(headers.get('ratelimit-limit'));
  const source = headers.get('docker-ratelimit-source');
  return {
    limit: limit?.value,
    remaining: remaining.value,
    windowSeconds: limit?.windowSeconds ?? remaining.windowSeconds,
    countedBy: source === undefined ? undefined : isIP(source) === 0 ? 'account' : 'address',
  };
}

interface Amount {
  readonly value: number;
  readonly windowSeconds: number | undefined;
}

function amount(text: string | undefined): Amount | undefined {
  if (text === undefined || text.length > MAXIMUM_LENGTH) return undefined;
  const [, value, parameters = ''] = AMOUNT.exec(text) ?? [];
  if (value === undefined) return undefined;
  const window = WINDOW.exec(parameters)?.[1];
  return { value: Number(value), windowSeconds: window === undefined ? undefined : Number(window) };
}
