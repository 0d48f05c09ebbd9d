import type { Socket } from 'node:net';
import { type Clock, fingerprint } from '../../core/index.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { Backend } from './backend.ts';
import { handleCall } from './call-handler.ts';
import { createBackend } from './create-backend.ts';
import { createPullCredentials, type PullCredentialsObserver, watchFallbacks } from './credentials/index.ts';
import { createGrpcServer, type IncomingCall } from './grpc/index.ts';
import type { PullCredentials } from './image-service.ts';
import { createLastGoodAnswers, type LastGoodAnswers } from './last-good.ts';
import type { ImageServiceMetrics } from './metrics.ts';
import type { ImageServiceOptions } from './options.ts';
import { Retirable } from './retirable.ts';

export interface ImageServiceDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: ImageServiceMetrics;
}

/** Answers kubelet's calls on connections that it is given. */
export interface ImageServiceServer {
  accept(socket: Socket): void;
  /**
   * Takes another version of the options into use. Running calls end with what they began with.
   * @throws when the new version can't be used; the old one stays in use
   */
  reload(options: ImageServiceOptions): void;
  /** Rejects when the runtime does not answer. */
  probe(signal: AbortSignal): Promise<void>;
  /** Takes no new calls; resolves when those under way have ended. */
  drain(): Promise<void>;
  /** Ends all calls. */
  close(): Promise<void>;
}

/** One version of the options at work. A part goes over to the next version when what it is made of is the same there. */
interface Generation {
  readonly options: ImageServiceOptions;
  readonly backend: Retirable<Backend>;
  readonly lastGood: LastGoodAnswers;
  readonly credentials: Retirable<PullCredentials>;
}

/** @throws {CredentialOptionsError} when a file that the options name does not hold what it should */
export function createImageService(
  options: ImageServiceOptions,
  dependencies: ImageServiceDependencies,
): ImageServiceServer {
  const { clock, log, metrics } = dependencies;
  let generation = createGeneration(options, undefined);
  const retiring = new Set<Promise<void>>();

  function retire(part: Retirable<{ close(): Promise<void> }>): void {
    const retired = part
      .retire()
      .catch((err: unknown) => log.warn({ err }, 'something that was replaced did not close'))
      .finally(() => retiring.delete(retired));
    retiring.add(retired);
  }

  function createGeneration(next: ImageServiceOptions, before: Generation | undefined): Generation {
    const isSame = (part: (of: ImageServiceOptions) => unknown) =>
      before !== undefined && fingerprint(part(before.options)) === fingerprint(part(next));
    return {
      options: next,
      credentials:
        before && isSame(credentialsPart)
          ? before.credentials
          : new Retirable(createCredentials(next, dependencies)),
      backend:
        before && isSame(backendPart)
          ? before.backend
          : new Retirable(createBackend(next.backend, dependencies)),
      lastGood: before && isSame(runtimePart) ? before.lastGood : createLastGood(),
    };
  }

  function createLastGood(): LastGoodAnswers {
    const limits = () => {
      const { staleAnswers, slowAnswers } = generation.options.timeouts;
      return { ageLimitMs: staleAnswers, patienceMs: slowAnswers };
    };
    return createLastGoodAnswers(limits, {
      clock,
      onStale(method, ageMs, reason) {
        const { backend, options: current } = generation;
        metrics.staleAnswers.inc({ backend: current.backend.type, method, reason });
        log.warn({ method, reason, ageMs }, 'the runtime does not answer; its answer of before is given');
        if (reason === 'slow') void backend.use(async (used) => used.suspect?.());
      },
    });
  }

  function onCall(call: IncomingCall): void {
    const { backend, lastGood, credentials } = generation;
    backend
      .use((usedBackend) =>
        credentials.use((usedCredentials) =>
          handleCall(call, { backend: usedBackend, lastGood, credentials: usedCredentials }, dependencies),
        ),
      )
      .catch((err: unknown) => log.error({ err }, 'a call was not answered'));
  }

  const server = createGrpcServer(onCall);
  return {
    accept: (socket) => server.accept(socket),
    reload(next) {
      const before = generation;
      generation = createGeneration(next, before);
      if (generation.backend !== before.backend) retire(before.backend);
      if (generation.credentials !== before.credentials) retire(before.credentials);
    },
    probe: (signal) => generation.backend.use((backend) => backend.probe(signal)),
    drain: () => server.drain(),
    async close() {
      server.close();
      await Promise.all([generation.backend.retire(), generation.credentials.retire(), ...retiring]);
    },
  };
}

/** What the counts of credentials are by goes along. */
function credentialsPart({ backend, credentials }: ImageServiceOptions): unknown {
  return [backend.type, credentials];
}

function backendPart({ backend }: ImageServiceOptions): unknown {
  return backend;
}

/** Where the answers come from, however they are asked for. */
function runtimePart({ backend: { type, socket } }: ImageServiceOptions): unknown {
  return [type, socket];
}

function createCredentials(
  { backend: { type: backend }, credentials: options }: ImageServiceOptions,
  { clock, log, metrics }: ImageServiceDependencies,
): PullCredentials {
  const observer: PullCredentialsObserver = {
    attempted: (event) => metrics.pullAttempts.inc({ backend, ...event }),
    providerFailed: (event) => metrics.providerFailures.inc({ backend, ...event }),
    answered: (event) => metrics.providerAnswers.inc({ backend, ...event }),
    refreshed: (event) => metrics.refreshes.inc({ backend, ...event }),
  };
  const credentials = createPullCredentials(options, { clock, log, observer });
  return watchFallbacks(credentials, options, (fallback) =>
    metrics.pullFallbacks.inc({ backend, ...fallback }),
  );
}
