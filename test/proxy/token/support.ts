import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, FolderReference, Secret } from '../../../src/core/index.ts';
import { parseRepositoryName, parseScope, type RepositoryName, type Scope } from '../../../src/oci/index.ts';
import type { Authenticator, Identity, Outcome } from '../../../src/proxy/identity/index.ts';
import { authorizationOptions, createPolicy } from '../../../src/proxy/policy/index.ts';
import {
  createTokenService,
  type IssuedToken,
  type TokenRequest,
  type TokenService,
} from '../../../src/proxy/token/index.ts';
import {
  generateSigningKeys,
  parseSigningKeys,
  type SigningKeys,
} from '../../../src/proxy/token/signing-keys.ts';
import { createStateStore, type StateStore } from '../../../src/state/index.ts';
import { createLogger } from '../../../src/telemetry/index.ts';

export const SERVICE = 'docker.example.com';
export const START = 1_700_000_000_000;
export const DAY_MS = 86_400_000;

export const alice: Identity = { verifier: 'staff', name: 'alice', groups: ['dev'], claims: { id: 7 } };

export const DEFAULT_RULES = [
  { name: 'dev', when: '"dev" in identity.groups', repositories: ['dev/**'], actions: ['pull', 'push'] },
  { name: 'public', repositories: ['public/**'], actions: ['pull'] },
];

export interface Settings {
  readonly rules?: readonly object[];
  readonly keys?: SigningKeys;
  readonly anonymous?: boolean;
  readonly canRenew?: boolean;
  readonly lifetime?: number;
  readonly refreshLifetime?: number;
  readonly login?: Outcome;
  readonly renew?: Authenticator['renew'];
  readonly state?: StateStore;
}

/** A token service on a real state store and policy, with a clock that stands still. */
export function setUpTokens(settings: Settings = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'tokens-'));
  let now = START;
  const clock: Clock = { now: () => now, sleep: () => Promise.reject(new Error('no sleep')) };
  const openStore = () =>
    createStateStore({ type: 'embedded', directory: new FolderReference(directory) }, { clock });
  const log: string[] = [];
  const renewed: { identity: Identity; anchor: string | undefined }[] = [];
  const keys = settings.keys ?? parseSigningKeys(generateSigningKeys());
  const stores: StateStore[] = [];
  let current = settings;

  const authenticator: Authenticator = {
    get anonymous() {
      return current.anonymous ?? false;
    },
    authenticate: async () => current.login ?? { type: 'identity', identity: alice, anchor: 'mark' },
    async renew(identity, anchor, signal) {
      renewed.push({ identity, anchor });
      return (
        current.renew?.(identity, anchor, signal) ?? { type: 'identity', identity, ...(anchor && { anchor }) }
      );
    },
    takesCertificates: false,
    authenticateCertificate: async () => ({ type: 'refused', reason: 'not in these tests' }),
    canRenew: () => current.canRenew ?? true,
    close: async () => undefined,
  };

  function start(): TokenService {
    const state = settings.state ?? openStore();
    stores.push(state);
    return createTokenService(
      {
        lifetime: settings.lifetime ?? 300_000,
        refreshLifetime: settings.refreshLifetime ?? 30 * DAY_MS,
        // The keys are handed over below.
        signingKeyFile: undefined as never,
      },
      {
        authenticator,
        policy: createPolicy(authorizationOptions.parse({ rules: settings.rules ?? DEFAULT_RULES })),
        state,
        keys,
        clock,
        log: createLogger('info', { write: (line) => log.push(line) }),
      },
    );
  }

  let tokens = start();
  const request = (changes: Partial<TokenRequest> = {}): TokenRequest => ({
    grant: { type: 'password', credential: { username: 'alice', password: new Secret('x') } },
    service: SERVICE,
    scopes: [],
    refresh: 'none',
    client: '127.0.0.1',
    signal: new AbortController().signal,
    ...changes,
  });

  return {
    keys,
    log,
    renewed,
    directory,
    get tokens() {
      return tokens;
    },
    advance(ms: number) {
      now += ms;
    },
    change(changes: Settings) {
      current = { ...current, ...changes };
    },
    async restart() {
      for (const store of stores.splice(0)) await store.close();
      tokens = start();
    },
    outcome: (changes?: Partial<TokenRequest>) => tokens.issue(request(changes)),
    async issue(changes?: Partial<TokenRequest>): Promise<IssuedToken> {
      const outcome = await tokens.issue(request(changes));
      if (outcome.type !== 'issued') throw new Error(`${outcome.type}: ${outcome.reason}`);
      return outcome.issued;
    },
    async close() {
      for (const store of stores) await store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export type Tokens = ReturnType<typeof setUpTokens>;

export function scopes(...texts: string[]): Scope[] {
  return texts.map((text) => {
    const scope = parseScope(text);
    if (!scope) throw new Error(`${text} is no scope`);
    return scope;
  });
}

export function repository(text: string): RepositoryName {
  const name = parseRepositoryName(text);
  if (!name) throw new Error(`${text} is no repository name`);
  return name;
}

export function decodePart(token: string, part: 0 | 1): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[part] ?? '', 'base64url').toString('utf8'));
}
