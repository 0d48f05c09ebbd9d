import { Writable } from 'node:stream';
import { z } from 'zod';
import { type Clock, systemClock } from '../../../../src/core/index.ts';
import { anonymousIdentity, type Identity } from '../../../../src/proxy/identity/index.ts';
import { authorizationOptions, createPolicy } from '../../../../src/proxy/policy/index.ts';
import {
  createRegistryServer,
  createRouter,
  createUploadSessions,
  type RegistryParts,
  routeOptions,
  serverOptions,
} from '../../../../src/proxy/registry/index.ts';
import type { Bearer, TokenService } from '../../../../src/proxy/token/index.ts';
import type { Upstream } from '../../../../src/proxy/upstream/index.ts';
import type { StateStore } from '../../../../src/state/index.ts';
import {
  type AuditEntry,
  createAuditLog,
  createLogger,
  createMetrics,
  type Metrics,
} from '../../../../src/telemetry/index.ts';

import { memoryStore } from './memory-store.ts';

export interface StartOptions {
  readonly upstreams: readonly Upstream[];
  readonly routes?: z.input<typeof routeOptions>[];
  readonly rules?: z.input<typeof authorizationOptions>['rules'];
  readonly server?: z.input<typeof serverOptions>;
  readonly anonymous?: boolean;
  readonly tokens?: Partial<TokenService>;
  readonly trusts?: (address: string) => boolean;
  /** Shared by replicas. */
  readonly state?: StateStore;
  /** Seals upload sessions; shared by replicas. */
  readonly secretKey?: Buffer;
  readonly clock?: Clock;
}

export interface StartedRegistry {
  readonly url: string;
  readonly port: number;
  readonly metrics: Metrics;
  /** Audit lines so far. */
  audit(): AuditEntry[];
  /** Everything that was logged. */
  logged(): string;
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** What a bearer token of these tests says; it stands for the signed one. */
export interface PlainToken {
  readonly identity?: Partial<Identity>;
  /** `name:action` pairs; missing: everything. */
  readonly access?: readonly string[];
  readonly service?: string;
}

export function bearer(token: PlainToken = {}): { authorization: string } {
  return { authorization: `Bearer ${Buffer.from(JSON.stringify(token)).toString('base64url')}` };
}

const PULL_ALL = [{ name: 'all', repositories: ['**'], actions: ['pull' as const] }];

/** The registry server with real routes and policy; tokens are plain text. */
export async function startRegistry(options: StartOptions): Promise<StartedRegistry> {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const log = createLogger('debug', sink);
  const metrics = createMetrics();
  const policy = createPolicy(authorizationOptions.parse({ rules: options.rules ?? PULL_ALL }));
  const first = options.upstreams[0]?.name ?? 'none';
  const server = serverOptions.parse({ address: '127.0.0.1:0', ...options.server });
  const tokens: TokenService = {
    takesCertificates: false,
    issue: async () => ({ type: 'refused', reason: 'not in this test' }),
    revoke: async () => {},
    publicKeys: () => ({ keys: [] }),
    check: async (token, service) => plainBearer(token, service),
    ...options.tokens,
  };

  function plainBearer(text: string, service: string): Bearer | undefined {
    let token: PlainToken;
    try {
      token = JSON.parse(Buffer.from(text, 'base64url').toString());
    } catch {
      return undefined;
    }
    if (token.service !== undefined && token.service !== service) return undefined;
    const identity = token.identity
      ? { ...anonymousIdentity, verifier: 'test', ...token.identity }
      : { ...anonymousIdentity, verifier: 'test', name: 'anna' };
    return {
      identity,
      expiresAt: Number.MAX_SAFE_INTEGER,
      covers: (name, action) => token.access?.includes(`${name}:${action}`) ?? true,
      decide: (name, action) => policy.decide(identity, name, action),
    };
  }

  const parts: RegistryParts = {
    router: createRouter(z.array(routeOptions).parse(options.routes ?? [{ upstream: first }])),
    tokens,
    upstreams: new Map(options.upstreams.map((upstream) => [upstream.name, upstream])),
    uploads: createUploadSessions({
      secretKeys: () => [options.secretKey ?? Buffer.alloc(32, 'k')],
      state: options.state ?? memoryStore(),
      clock: options.clock ?? systemClock,
    }),
    anonymous: options.anonymous ?? false,
    publicUrl: server.publicUrl,
    clientCertificateHeader: server.clientCertificateHeader,
    trusts: options.trusts ?? (() => false),
    progressTimeoutMs: server.progressTimeout,
  };
  const registry = createRegistryServer(server, {
    lease: () => ({ parts, release: () => {} }),
    telemetry: { log, metrics, audit: createAuditLog(log) },
  });
  const port = await registry.listen();
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    metrics,
    audit: () =>
      lines
        .join('')
        .split('\n')
        .filter((line) => line.includes('"log":"audit"'))
        .map((line) => JSON.parse(line)),
    logged: () => lines.join(''),
    drain: () => registry.drain(),
    close: () => registry.close(),
  };
}
