import ipaddr from 'ipaddr.js';
import { fingerprint } from '../core/index.ts';
import type { StateStore } from '../state/index.ts';
import type { ProxyDependencies } from './dependencies.ts';
import {
  createAuthenticator,
  createLoginLimits,
  createVerifiers,
  isOidcVerifier,
  type Verifier,
} from './identity/index.ts';
import type { ProxyOptions } from './options.ts';
import { createPolicy } from './policy/index.ts';
import { createRouter, createUploadSessions, type RegistryParts } from './registry/index.ts';
import {
  createSecretKeys,
  createTokenService,
  loadOrCreateSigningKeys,
  type SigningKeys,
} from './token/index.ts';
import { createUpstream, type Upstream } from './upstream/index.ts';
import { createWeb, type Web, type WebDependencies } from './web/index.ts';

/**
 * Everything made from one version of the configuration. It lives until the last request that holds it has ended;
 * what the next version uses unchanged (an upstream with its connections and tokens) goes over to that one.
 */
export class Generation {
  #holders = 0;
  #retired = false;
  #settle: () => void = () => {};
  readonly #settled = new Promise<void>((resolve) => {
    this.#settle = resolve;
  });

  private constructor(
    readonly options: ProxyOptions,
    readonly parts: RegistryParts,
    readonly upstreams: ReadonlyMap<string, KeptUpstream>,
    readonly verifiers: readonly Verifier[],
  ) {}

  static async create(
    options: ProxyOptions,
    previous: Generation | undefined,
    state: StateStore,
    dependencies: ProxyDependencies,
  ): Promise<Generation> {
    const { clock, telemetry } = dependencies;
    const { log, metrics } = telemetry;
    const policy = createPolicy(options.authorization);
    const keys = await signingKeysOf(options, previous);
    const secretKeys = createSecretKeys(keys);
    const verifiers = createVerifiers(options.authentication, {
      clock,
      log,
      state,
      secretKeys,
    });
    const authenticator = createAuthenticator(options.authentication, verifiers, {
      log,
      metrics,
      limits: createLoginLimits(options.authentication.limits, { state, clock }),
    });
    const tokens = createTokenService(options.tokens, { authenticator, policy, state, clock, log, keys });
    const upstreams = createUpstreams(options, previous, dependencies);
    const parts: RegistryParts = {
      router: createRouter(options.routes),
      tokens,
      upstreams: new Map([...upstreams].map(([name, { upstream }]) => [name, upstream])),
      uploads: createUploadSessions({ secretKeys, state, clock }),
      anonymous: options.authentication.anonymous,
      publicUrl: options.server.publicUrl,
      clientCertificateHeader: options.server.clientCertificateHeader,
      trusts: trustOf(options.server.trustedProxies),
      progressTimeoutMs: options.server.progressTimeout,
      web: createPages(verifiers, { state, secretKeys, clock, log }),
    };
    return new Generation(options, parts, upstreams, verifiers);
  }

  hold(): void {
    this.#holders += 1;
  }

  release(): void {
    this.#holders -= 1;
    if (this.#retired && this.#holders === 0) this.#settle();
  }

  /** Waits until nobody holds it, then closes what `successor` has not taken over. */
  async retire(successor: Generation | undefined): Promise<void> {
    this.#retired = true;
    if (this.#holders > 0) await this.#settled;
    const kept = new Set([...(successor?.upstreams.values() ?? [])].map(({ upstream }) => upstream));
    const leaving = [...this.upstreams.values()].filter(({ upstream }) => !kept.has(upstream));
    await Promise.all([
      ...leaving.map(({ upstream }) => upstream.close()),
      ...this.verifiers.map((v) => v.close()),
    ]);
  }
}

/** @returns undefined when there is no verifier that people sign in with in a browser */
function createPages(
  verifiers: readonly Verifier[],
  dependencies: Omit<WebDependencies, 'signIns'>,
): Web | undefined {
  const signIns = verifiers.filter(isOidcVerifier).map(({ signIn }) => signIn);
  return signIns.length > 0 ? createWeb({ ...dependencies, signIns }) : undefined;
}

/**
 * Keys are made on the first start only. While the proxy runs, new ones would end every token that is out.
 * @throws {Error} when the file is gone
 */
function signingKeysOf({ tokens }: ProxyOptions, previous: Generation | undefined): Promise<SigningKeys> {
  const { signingKeyFile } = tokens;
  if (previous && signingKeyFile.contents === undefined) {
    throw new Error(`${signingKeyFile.path} is missing: put it back, or restart to have new keys made`);
  }
  return loadOrCreateSigningKeys(signingKeyFile);
}

interface KeptUpstream {
  readonly upstream: Upstream;
  /** Of the options it was made from. */
  readonly mark: string;
}

function createUpstreams(
  options: ProxyOptions,
  previous: Generation | undefined,
  { clock, random, telemetry }: ProxyDependencies,
): Map<string, KeptUpstream> {
  const { log, metrics } = telemetry;
  const made = Object.entries(options.upstreams).map(([name, upstreamOptions]): [string, KeptUpstream] => {
    const mark = fingerprint(upstreamOptions);
    const kept = previous?.upstreams.get(name);
    if (kept?.mark === mark) return [name, kept];
    return [name, { mark, upstream: createUpstream(name, upstreamOptions, { clock, random, log, metrics }) }];
  });
  return new Map(made);
}

/** @returns whether an address lies in one of these networks; never for what is no address */
function trustOf(networks: readonly string[]): (address: string) => boolean {
  const ranges = networks.map((network) => {
    if (ipaddr.isValidCIDR(network)) return ipaddr.parseCIDR(network);
    const address = ipaddr.parse(network);
    return [address, address.kind() === 'ipv4' ? 32 : 128] as [typeof address, number];
  });
  return (text) => {
    if (!ipaddr.isValid(text)) return false;
    const address = ipaddr.process(text);
    return ranges.some(
      ([range, bits]) => range.kind() === address.kind() && address.match([range, bits] as never),
    );
  };
}
