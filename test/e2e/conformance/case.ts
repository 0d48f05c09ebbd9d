import type { ConformanceClient } from './client.ts';

/** One thing that the specification asks for. */
export interface Case {
  readonly name: string;
  /** Fails where the registry does something else. */
  run(client: ConformanceClient): Promise<void>;
}

/** A case that the upstream does not pass, with or without the proxy. */
export interface Limit {
  /** Name of the case. */
  readonly case: string;
  readonly because: string;
  /** What the proxy answers instead; fails where it does something else again. */
  instead(client: ConformanceClient): Promise<void>;
}

export const NOWHERE = `sha256:${'0'.repeat(64)}`;
