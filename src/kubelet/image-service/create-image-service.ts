import type { Socket } from 'node:net';
import { type Clock, fingerprint } from '../../core/index.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { Backend } from './backend.ts';
import { handleCall } from './call-handler.ts';
import { createBackend } from './create-backend.ts';
import { createPullCredentials } from './credentials/index.ts';
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

/** A backend, and what it last answered. */
interface Runtime {
  readonly backend: Backend;
  readonly lastGood: LastGoodAnswers;
  close(): Promise<void>;
}

/** One version of the options at work. A part goes over to the next version when its options are the same there. */
interface Generation {
  readonly runtime: Retirable<Runtime>;
  readonly runtimeKey: string;
  readonly credentials: Retirable<PullCredentials>;
  readonly credentialsKey: string;
}

/** @throws {CredentialOptionsError} when a file that the options name does not hold what it should */
export function createImageService(
  options: ImageServiceOptions,
  dependencies: ImageServiceDependencies,
): ImageServiceServer {
  const { log } = dependencies;
  let generation = createGeneration(options, undefined, dependencies);
  const retiring = new Set<Promise<void>>();

  function retire(part: Retirable<{ close(): Promise<void> }>): void {
    const retired = part
      .retire()
      .catch((err: unknown) => log.warn({ err }, 'something that was replaced did not close'))
      .finally(() => retiring.delete(retired));
    retiring.add(retired);
  }

  function onCall(call: IncomingCall): void {
    const { runtime, credentials } = generation;
    runtime
      .use(({ backend, lastGood }) =>
        credentials.use((pullCredentials) =>
          handleCall(call, { backend, lastGood, credentials: pullCredentials }, dependencies),
        ),
      )
      .catch((err: unknown) => log.error({ err }, 'a call was not answered'));
  }

  const server = createGrpcServer(onCall);
  return {
    accept: (socket) => server.accept(socket),
    reload(next) {
      const before = generation;
      generation = createGeneration(next, before, dependencies);
      if (generation.runtime !== before.runtime) retire(before.runtime);
      if (generation.credentials !== before.credentials) retire(before.credentials);
    },
    probe: (signal) => generation.runtime.use(({ backend }) => backend.probe(signal)),
    drain: () => server.drain(),
    async close() {
      server.close();
      await Promise.all([generation.runtime.retire(), generation.credentials.retire(), ...retiring]);
    },
  };
}

function createGeneration(
  options: ImageServiceOptions,
  before: Generation | undefined,
  dependencies: ImageServiceDependencies,
): Generation {
  const runtimeKey = fingerprint([options.backend, options.timeouts]);
  const credentialsKey = fingerprint(options.credentials);
  const credentials =
    before?.credentialsKey === credentialsKey
      ? before.credentials
      : new Retirable(createPullCredentials(options.credentials, credentialDependencies(dependencies)));
  const runtime =
    before?.runtimeKey === runtimeKey ? before.runtime : new Retirable(createRuntime(options, dependencies));
  return { runtime, runtimeKey, credentials, credentialsKey };
}

function createRuntime(
  { backend: backendOptions, timeouts }: ImageServiceOptions,
  { clock, log, metrics }: ImageServiceDependencies,
): Runtime {
  const backend = createBackend(backendOptions, { clock });
  const lastGood = createLastGoodAnswers(
    { ageLimitMs: timeouts.staleAnswers, patienceMs: timeouts.slowAnswers },
    {
      clock,
      onStale(method, ageMs, reason) {
        metrics.staleAnswers.inc({ method, reason });
        log.warn({ method, reason, ageMs }, 'the runtime does not answer; its answer of before is given');
        if (reason === 'slow') backend.suspect?.();
      },
    },
  );
  return { backend, lastGood, close: () => backend.close() };
}

function credentialDependencies({ clock, log, metrics }: ImageServiceDependencies) {
  return {
    clock,
    log,
    observer: {
      attempted: (event: { source: string; outcome: string }) => metrics.pullAttempts.inc({ ...event }),
      providerFailed: (event: { provider: string; reason: string }) =>
        metrics.providerFailures.inc({ ...event }),
      answered: (event: { provider: string; answer: string }) => metrics.providerAnswers.inc({ ...event }),
      refreshed: (event: { provider: string }) => metrics.refreshes.inc({ ...event }),
    },
  };
}
