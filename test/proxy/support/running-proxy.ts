import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { hash } from '@node-rs/bcrypt';
import type { z } from 'zod';
import { writeSampleLayout } from '../../../src/cli/demo/sample-layout.ts';
import { configFromValue } from '../../../src/config/index.ts';
import { systemClock } from '../../../src/core/index.ts';
import {
  createProxy,
  type ProxyOptions,
  proxyOptions,
  type RegistryProxy,
} from '../../../src/proxy/index.ts';
import { createAuditLog, createLogger, createMetrics } from '../../../src/telemetry/index.ts';

export type ProxyInput = Partial<z.input<typeof proxyOptions>>;

export const PASSWORD = 'canary-password-of-anna';

const LOWEST_COST = 4;

/** A folder with a layout that holds `hello:latest` and `secret/plans:v1`, and users `anna` and `ben` with one password. */
export interface Site {
  readonly folder: string;
  options(input?: ProxyInput): Promise<ProxyOptions>;
  remove(): Promise<void>;
}

export async function createSite(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'drp-proxy-test-'));
  await writeSampleLayout(join(folder, 'images'), ['hello:latest', 'secret/plans:v1']);
  const stored = await hash(PASSWORD, { cost: LOWEST_COST });
  await writeFile(join(folder, 'users.htpasswd'), `anna:${stored}\nben:${stored}\n`);
  const base: ProxyInput = {
    server: { address: '127.0.0.1:0', adminAddress: '127.0.0.1:0' },
    upstreams: { disk: { layout: './images' } },
    routes: [{ upstream: 'disk' }],
    authentication: { verifiers: [{ name: 'local', type: 'htpasswd', file: 'users.htpasswd' }] },
    authorization: {
      rules: [{ name: 'anna', when: 'identity.name == "anna"', repositories: ['**'], actions: ['pull'] }],
    },
  };
  return {
    folder,
    options: async (input = {}) =>
      (await configFromValue({ ...base, ...input }, proxyOptions, { baseDirectory: folder, env: {} })).value,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export interface RunningProxy {
  readonly proxy: RegistryProxy;
  readonly url: string;
  readonly adminUrl: string;
  readonly service: string;
  /** Everything that was logged. */
  logged(): string;
}

export async function runProxy(options: ProxyOptions): Promise<RunningProxy> {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const log = createLogger('debug', sink);
  const telemetry = { log, metrics: createMetrics(), audit: createAuditLog(log) };
  const proxy = await createProxy(options, { clock: systemClock, random: Math.random, telemetry });
  const at = await proxy.listen();
  return { proxy, ...at, service: new URL(at.url).host, logged: () => lines.join('') };
}

export function basic(username: string, password = PASSWORD): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

export interface TokenBody {
  readonly token: string;
  readonly refresh_token?: string;
}

export async function getToken(url: string, username: string, query: string): Promise<TokenBody> {
  const answer = await fetch(`${url}/token?${query}`, { headers: basic(username) });
  if (answer.status !== 200) throw new Error(`the token endpoint answered ${answer.status}`);
  return (await answer.json()) as TokenBody;
}

export function withToken(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}
