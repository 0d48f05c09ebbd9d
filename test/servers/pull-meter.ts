import type { IncomingMessage } from 'node:http';
import type { CloudRegistryOptions, Inspection } from './cloud-registry.ts';

/** What an account may pull in a window, and has pulled. */
export interface PullAccount {
  limit: number;
  used: number;
}

/** Counts pulls in front of a registry, as Docker Hub does: GET of a manifest by account; HEAD is free. */
export interface PullMeter extends Required<Pick<CloudRegistryOptions, 'onToken' | 'inspect'>> {
  readonly accounts: Readonly<Record<string, PullAccount>>;
  /** Requests for manifests since the last call: the method and the account. */
  take(): string[];
}

const WINDOW_SECONDS = 21_600;

/** @param limits by user name; others are not counted */
export function createPullMeter(limits: Readonly<Record<string, number>>): PullMeter {
  const accounts: Record<string, PullAccount> = Object.fromEntries(
    Object.entries(limits).map(([name, limit]) => [name, { limit, used: 0 }]),
  );
  const holders = new Map<string, string>();
  const seen: string[] = [];

  function inspect({ method, url, headers }: IncomingMessage): Inspection {
    const holder = holders.get(headers.authorization?.replace(/^Bearer /, '') ?? '') ?? '';
    const account = accounts[holder];
    if (!account || !/\/manifests\//.test(url ?? '')) return { headers: {} };
    seen.push(`${method} ${holder}`);
    const isOver = method === 'GET' && account.used >= account.limit;
    if (method === 'GET' && !isOver) account.used += 1;
    const said = {
      'ratelimit-limit': `${account.limit};w=${WINDOW_SECONDS}`,
      'ratelimit-remaining': `${account.limit - account.used};w=${WINDOW_SECONDS}`,
      'docker-ratelimit-source': 'b5a3fa4e-9c1c-4e7e-8a0b-6d5d1f6a7c11',
    };
    if (!isOver) return { headers: said };
    const error = { code: 'TOOMANYREQUESTS', message: 'You have reached your pull rate limit.' };
    return {
      headers: { ...said, 'retry-after': '3600' },
      refusal: { status: 429, body: { errors: [error] } },
    };
  }

  return {
    accounts,
    onToken: (token, username) => void holders.set(token, username),
    inspect,
    take: () => seen.splice(0),
  };
}
