import { fingerprint } from '../core/index.ts';
import { createStateStore } from '../state/index.ts';
import { createAdminServer } from './admin-server.ts';
import type { ProxyDependencies } from './dependencies.ts';
import { Generation } from './generation.ts';
import type { ProxyOptions } from './options.ts';
import { createRegistryServer, type PartsLease } from './registry/index.ts';

/** Where a running proxy is heard. */
export interface ListeningAt {
  readonly url: string;
  readonly adminUrl: string;
}

export interface RegistryProxy {
  listen(): Promise<ListeningAt>;
  /**
   * Takes a new configuration into use for requests that come from now on. Those under way end with the old one.
   * Rejects, and changes nothing, when parts can't be made of it. Addresses and the state store need a restart.
   */
  reload(options: ProxyOptions): Promise<void>;
  /** Turns new requests away and waits for the running ones, at most `drainTimeout`. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** Puts the parts together: the registry server for clients, the admin server for operators. */
export async function createProxy(
  options: ProxyOptions,
  dependencies: ProxyDependencies,
): Promise<RegistryProxy> {
  const { telemetry, clock } = dependencies;
  const { log, metrics } = telemetry;
  const state = createStateStore(options.state, { clock });
  let current = await Generation.create(options, undefined, state, dependencies).catch(
    async (error: unknown) => {
      await state.close();
      throw error;
    },
  );
  let draining = false;
  let retiring: Promise<void> = Promise.resolve();
  const registry = createRegistryServer(options.server, { lease, telemetry });
  const admin = createAdminServer(options.server.adminAddress, { metrics, ready: () => !draining });

  function lease(): PartsLease {
    const generation = current;
    generation.hold();
    return { parts: generation.parts, release: () => generation.release() };
  }

  return {
    async listen() {
      // Clients last: who is heard by them has to be whole.
      const adminPort = await admin.listen();
      const port = await registry.listen();
      const scheme = options.server.tls ? 'https' : 'http';
      return {
        url: `${scheme}://${withPort(options.server.address, port)}`,
        adminUrl: `http://${withPort(options.server.adminAddress, adminPort)}`,
      };
    },

    async reload(next) {
      const previous = current;
      const generation = await Generation.create(next, previous, state, dependencies);
      if (next.server.tls && options.server.tls) registry.renewCertificates(next.server.tls);
      current = generation;
      // One after the other: an upstream goes from each version to the next, and the oldest holder still needs it.
      retiring = retiring
        .then(() => previous.retire(generation))
        .catch((error: unknown) => log.warn({ err: error }, 'a part of the old configuration did not close'));
      const fixed = needsRestart(options, next);
      if (fixed.length > 0) log.warn({ keys: fixed }, 'these keys take effect after a restart only');
    },

    async drain() {
      draining = true;
      const deadline = new AbortController();
      const late = clock.sleep(current.options.server.drainTimeout, deadline.signal).then(
        () => log.warn('the drain time-out is over; cutting what still runs'),
        () => undefined,
      );
      await Promise.race([registry.drain(), late]);
      deadline.abort();
    },

    async close() {
      await registry.close();
      await admin.close();
      await retiring;
      await current.retire(undefined);
      await state.close();
    },
  };
}

function withPort(address: string, port: number): string {
  return `${address.slice(0, address.lastIndexOf(':'))}:${port}`;
}

/** Keys that differ and that a running process can't change. */
function needsRestart(now: ProxyOptions, next: ProxyOptions): string[] {
  const fixed: [key: string, now: unknown, next: unknown][] = [
    ['server.address', now.server.address, next.server.address],
    ['server.adminAddress', now.server.adminAddress, next.server.adminAddress],
    ['server.headerTimeout', now.server.headerTimeout, next.server.headerTimeout],
    ['server.maximumConnections', now.server.maximumConnections, next.server.maximumConnections],
    ['server.tls', now.server.tls !== undefined, next.server.tls !== undefined],
    ['state', now.state, next.state],
    ['log', now.log, next.log],
  ];
  return fixed.flatMap(([key, old, fresh]) => (fingerprint(old) === fingerprint(fresh) ? [] : [key]));
}
