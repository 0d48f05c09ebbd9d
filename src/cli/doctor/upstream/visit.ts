import type { Clock } from '../../../core/index.ts';
import type { Credential, CredentialProvider } from '../../../credentials/index.ts';
import {
  createUpstreamProbe,
  type Ping,
  type UpstreamOptions,
  type UpstreamProbe,
} from '../../../proxy/upstream/index.ts';
import type { Logger } from '../../../telemetry/index.ts';
import { type Connected, connectTo } from './connect.ts';

export interface VisitDependencies {
  readonly clock: Clock;
  readonly log: Logger;
}

/** One upstream that is a registry, and what has been seen of it; each thing is asked for once. */
export class Visit {
  readonly probe: UpstreamProbe;
  #connected: Promise<Connected> | undefined;
  #ping: Promise<Ping> | undefined;
  readonly #credentials = new Map<CredentialProvider, Promise<Credential | undefined>>();

  /** @throws {CredentialOptionsError} */
  constructor(
    readonly name: string,
    readonly options: UpstreamOptions & { readonly url: string },
    readonly dependencies: VisitDependencies,
  ) {
    this.probe = createUpstreamProbe(options, dependencies);
  }

  get url(): URL {
    return this.probe.url;
  }

  connected(signal: AbortSignal): Promise<Connected> {
    this.#connected ??= connectTo(this.url, this.options.certificateAuthorityFile?.text(), signal);
    return this.#connected;
  }

  ping(signal: AbortSignal): Promise<Ping> {
    this.#ping ??= this.probe.ping(signal);
    return this.#ping;
  }

  credential(provider: CredentialProvider, signal: AbortSignal): Promise<Credential | undefined> {
    const known = this.#credentials.get(provider) ?? this.probe.credential(provider, signal);
    this.#credentials.set(provider, known);
    return known;
  }

  /** How a finding names one credential: by its place in a pool, and by nothing where it is the only one. */
  label(index: number): string {
    return this.probe.providers.length > 1 ? `credential ${index}: ` : '';
  }

  close(): Promise<void> {
    return this.probe.close();
  }
}
